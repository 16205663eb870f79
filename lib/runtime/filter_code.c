/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing the program of a system call filter, from its end to its beginning: the targets of every
 * jump are there when the jump is written, so nothing is patched and nothing sorted. A place is the
 * number of instructions from the end; whatever is written returns its own, to be jumped to.
 *
 * libseccomp writes a test for each number, more than a thousand of them. Here numbers that share
 * their fate are one range: the kernel, which checks, translates and tries every number when a
 * filter is loaded, that is with every entry into a zone, is done in a quarter of the time.
 */
#include "runtime/runtime_priv.h"

#include <endian.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>

/* How far a conditional jump reaches. */
#define REACH 255u

static unsigned
emit(struct code *code, struct sock_filter instruction)
{
	/* One too many is counted, and refused by code_begin(). */
	if (code->n < BPF_MAXINSNS)
		code->instructions[BPF_MAXINSNS - 1 - code->n] = instruction;
	return ++code->n;
}

static unsigned
jump_to(struct code *code, unsigned place)
{
	return emit(code, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, code->n - place));
}

/* @place, or one that leads there from where a conditional jump can get to. */
static unsigned
within_reach(struct code *code, unsigned place)
{
	/* Less one: the jump's other target may need such a place, too. */
	return code->n - place < REACH ? place : jump_to(code, place);
}

static unsigned
jump_if(struct code *code, uint16_t test, uint32_t value, unsigned yes, unsigned no)
{
	yes = within_reach(code, yes);
	no = within_reach(code, no);
	return emit(code, (struct sock_filter)BPF_JUMP(BPF_JMP | test | BPF_K, value,
						       (uint8_t)(code->n - yes),
						       (uint8_t)(code->n - no)));
}

unsigned
code_return(struct code *code, uint32_t action)
{
	return emit(code, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action));
}

unsigned
code_if_equal(struct code *code, uint32_t value, unsigned yes, unsigned no)
{
	return jump_if(code, BPF_JEQ, value, yes, no);
}

unsigned
code_load(struct code *code, size_t offset, unsigned next)
{
	if (next != code->n)
		(void)jump_to(code, next);
	return emit(code, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

size_t
code_argument(unsigned arg, bool high)
{
	return offsetof(struct seccomp_data, args) + arg * sizeof(uint64_t) +
	       (high == (BYTE_ORDER == LITTLE_ENDIAN) ? sizeof(uint32_t) : 0);
}

unsigned
code_ranges(struct code *code, const struct code_range *ranges, size_t n)
{
	size_t half = n / 2;
	unsigned below, above;

	if (n == 1)
		return ranges[0].place;
	above = code_ranges(code, ranges + half, n - half);
	below = code_ranges(code, ranges, half);
	return jump_if(code, BPF_JGE, ranges[half].first, above, below);
}

const struct sock_filter *
code_begin(const struct code *code)
{
	return code->n <= BPF_MAXINSNS ? code->instructions + BPF_MAXINSNS - code->n : NULL;
}
