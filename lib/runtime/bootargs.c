/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boot arguments: the options that zoneadm(8) documents, turned into the command line of the zone's
 * init. systemd reads its own in a zone as it reads the kernel's on hardware; the others know -s.
 */
#include "runtime/runtime_priv.h"

#include "base/err.h"
#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INIT_DEFAULT "/sbin/init"

/* The words of `-m`, and what init is told. */
static const struct {
	const char *word, *arg; /* NULL: nothing, it is what init does anyway */
} boot_options[] = {
    {"milestone=single-user", "-s"},
    {"milestone=multi-user", "systemd.unit=multi-user.target"},
    {"milestone=all", NULL},
    {"milestone=none", "systemd.unit=emergency.target"},
    {"verbose", "systemd.show_status=1"},
    {"debug", "systemd.log_level=debug"},
};

static int
milestone(const char *list, struct strv *argv, struct strv *problems)
{
	char word[64];
	size_t i, n;
	int r = 0;

	for (; r == 0 && *list; list += n + (list[n] == ',')) {
		n = strcspn(list, ",");
		(void)snprintf(word, sizeof(word), "%.*s", (int)n, list);
		for (i = 0; i < sizeof(boot_options) / sizeof(boot_options[0]); i++) {
			if (!strcmp(boot_options[i].word, word))
				break;
		}
		if (i == sizeof(boot_options) / sizeof(boot_options[0]))
			r = strv_addf(problems, "boot arguments: unknown option '%s' of -m", word);
		else if (boot_options[i].arg)
			r = strv_add(argv, boot_options[i].arg);
	}
	return r;
}

struct boot_words {
	const char *init;
	struct strv args;
	struct strv *problems, *warnings;
};

/*
 * One word of the boot arguments. @next is the word after it, or NULL. Returns how many words were
 * used, or a negative code.
 */
static int
boot_word(struct boot_words *boot, const char *word, const char *next)
{
	bool takes_value = !strncmp(word, "-m", 2) || !strncmp(word, "-i", 2);
	const char *value = takes_value && word[2] ? word + 2 : next;
	int r = 0, used = takes_value && !word[2] ? 2 : 1;

	if (takes_value && !value) {
		r = strv_addf(boot->problems, "boot arguments: %s needs a value", word);
		used = 1;
	} else if (!strncmp(word, "-m", 2)) {
		r = milestone(value, &boot->args, boot->problems);
	} else if (!strncmp(word, "-i", 2)) {
		boot->init = value;
	} else if (!strcmp(word, "-s")) {
		r = strv_add(&boot->args, word);
	} else if (word[0] == '-') {
		r = strv_addf(boot->warnings, "boot arguments: option '%s' is passed to init",
			      word);
		if (r == 0)
			r = strv_add(&boot->args, word);
	} else {
		r = strv_addf(boot->warnings, "boot arguments: '%s' is ignored", word);
	}
	return r < 0 ? r : used;
}

static int
boot_words(struct boot_words *boot, const char *const *words)
{
	int r = 0;

	while (*words && strcmp(*words, "--") != 0) {
		r = boot_word(boot, words[0], words[1]);
		if (r < 0)
			return r;
		words += r;
	}
	/* What follows "--" is for init alone. */
	r = 0;
	for (words += *words ? 1 : 0; r == 0 && *words; words++)
		r = strv_add(&boot->args, *words);
	return r;
}

static int
split(const char *text, struct strv *ret)
{
	size_t n;
	int r = 0;

	for (text += strspn(text, " \t"); r == 0 && *text; text += strspn(text, " \t")) {
		n = strcspn(text, " \t");
		r = strv_addf(ret, "%.*s", (int)n, text);
		text += n;
	}
	return r;
}

int
plan_bootargs(const char *const *words, const char *property, const char *init,
	      struct strv *ret_argv, struct strv *problems, struct strv *warnings, struct err *err)
{
	static const char *const none[] = {NULL};
	auto_strv struct strv own = {0};
	struct boot_words boot = {
	    .init = init && *init ? init : INIT_DEFAULT,
	    .problems = problems,
	    .warnings = warnings,
	};
	int r = 0;

	if (!words) {
		r = split(property ? property : "", &own);
		words = own.n ? (const char *const *)own.v : none;
	}
	if (r == 0)
		r = boot_words(&boot, words);
	if (r == 0 && boot.init[0] != '/')
		r = strv_addf(problems, "init '%s' is not an absolute path", boot.init);
	if (r == 0)
		r = strv_add(ret_argv, boot.init);
	for (size_t i = 0; r == 0 && i < boot.args.n; i++)
		r = strv_add(ret_argv, boot.args.v[i]);
	strv_free(&boot.args);
	return r < 0 ? err_nomem(err) : 0;
}
