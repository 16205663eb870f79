# Turns the lines of a text into a C string literal.
s/[\\"]/\\&/g
s/^/"/
s/$/\\n"/
