/* SPDX-License-Identifier: BSD-3-Clause */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/cli.h"
#include "lib/log.h"
#include "tests/unit/scratch.h"

struct sample {
	struct cli_shared shared;
	double window;
	struct field_list models;
	bool force;
	double cost;
};

static const struct field sweep_fields[] = {
	{ "window", FIELD_SECONDS, offsetof(struct sample, window),
	  .initial = "1s", .min = 0.01, .max = 3600, .value = "D", .key = 'w',
	  .help = "how long each is measured" },
	{ "models", FIELD_WORDS, offsetof(struct sample, models),
	  .help = "what is measured" },
	{ "radio.joules_per_byte", FIELD_REAL, offsetof(struct sample, cost),
	  .help = "what a byte costs" },
	CLI_FORCE(sample, force),
	CLI_SHARED(sample),
	FIELD_END
};

static const struct field fit_fields[] = {
	{ "map", FIELD_INT, offsetof(struct sample, shared.seed),
	  .help = "which map" },
	FIELD_END
};

/* What a command shows of what it got. */
static int show(struct cli *cli, void *config, struct err *err)
{
	const struct sample *sample = config;

	printf("%s|%s|", cli->program, cli->command ? cli->command : "-");
	for (size_t i = 0; i < cli->arguments; i++)
		printf("%s,", cli->argument[i]);
	printf("|");
	for (size_t i = 0; cli->rest && i <= cli->rests; i++)
		printf("%s,", cli->rest[i] ? cli->rest[i] : "NULL");
	printf("|window %g force %d json %d verbose %d level %d\n",
	       sample->window, sample->force, sample->shared.json,
	       (int)sample->shared.verbose, (int)log_level());
	if (cli->arguments && !strcmp(cli->argument[0], "fail"))
		return err_set(err, EINVAL, "it did not\nwork");
	if (cli->arguments && !strcmp(cli->argument[0], "misuse")) {
		err_set(err, EINVAL, "not like that");
		return CLI_USAGE;
	}
	return cli->arguments && !strcmp(cli->argument[0], "found") ? 2 : 0;
}

/* As a service does when its files changed. */
static int again(struct cli *cli, void *values, struct err *err)
{
	struct sample fresh = { 0 };
	struct config config;

	(void)values;
	for (int i = 0; i < 2; i++) {
		scratch_write("c.json", i ? "{" : "{ \"window\": 7 }");
		if (cli_read_again(cli, &config, &fresh, err) < 0)
			return -1;
		printf("again %g %d\n", fresh.window, fresh.force);
		config_done(&config);
		fresh = (struct sample){ 0 };
	}
	return 0;
}

static int fit(struct cli *cli, void *config, struct err *err)
{
	(void)config;
	(void)err;
	printf("fit %zu\n", cli->arguments);
	return 0;
}

static const struct cli_command commands[] = {
	{ .name = "sweep",
	  .arguments = "[MODEL...]",
	  .summary = "what steps cost",
	  .about = "Example: bench sweep",
	  .fields = sweep_fields,
	  .config_size = sizeof(struct sample),
	  .run = show,
	  .takes_arguments = true,
	  .takes_rest = true },
	{ .name = "fit",
	  .arguments = "",
	  .summary = "make a table",
	  .fields = fit_fields,
	  .config_size = sizeof(struct sample),
	  .run = fit },
	{ .name = "run",
	  .summary = "go on",
	  .fields = sweep_fields,
	  .config_size = sizeof(struct sample),
	  .run = again,
	  .takes_arguments = true },
	{ .name = NULL }
};

static const struct cli_program bench = { .name = "bench",
					  .summary = "joules of a step",
					  .commands = commands };
static const struct cli_program sensor = { .name = "sensor",
					   .summary = "joules of a machine",
					   .commands = commands + 1,
					   .self = &commands[0] };

static char out[1 << 16], said[1 << 16];

static void redirect(int fd, const char *path)
{
	int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_ge(file, 0);
	ck_assert_int_eq(dup2(file, fd), fd);
	close(file);
}

/* Run a line; its stdout is in `out`, its stderr in `said`. */
static int run(const struct cli_program *program, const char *line)
{
	char copy[512], *rest = copy, *word;
	char *argv[32] = { NULL };
	int saved[3] = { -1, dup(1), dup(2) };
	int argc = 0, status;

	snprintf(copy, sizeof(copy), "/usr/bin/%s %s", program->name, line);
	while ((word = strsep(&rest, " ")))
		if (*word)
			argv[argc++] = word;
	fflush(stdout);
	redirect(1, "out");
	redirect(2, "said");
	status = cli_main(program, argc, argv);
	fflush(stdout);
	fflush(stderr);
	for (int fd = 1; fd <= 2; fd++) {
		dup2(saved[fd], fd);
		close(saved[fd]);
	}
	snprintf(out, sizeof(out), "%s", scratch_read("out"));
	snprintf(said, sizeof(said), "%s", scratch_read("said"));
	return status;
}

START_TEST(options_stand_anywhere_before_the_dashes)
{
	ck_assert_int_eq(run(&bench, "sweep a --window 2s b -- -w 3 c"), 0);
	ck_assert_str_eq(out, "bench|sweep|a,b,|-w,3,c,NULL,|window 2 force 0 "
			      "json 0 verbose 0 level 2\n");
	ck_assert_str_eq(said, "");
}
END_TEST

START_TEST(options_stand_anywhere_for_posixly_correct_users_too)
{
	setenv("POSIXLY_CORRECT", "1", 1);
	ck_assert_int_eq(run(&bench, "sweep a --window 2s -- b"), 0);
	ck_assert_str_eq(out, "bench|sweep|a,|b,NULL,|window 2 force 0 json 0 "
			      "verbose 0 level 2\n");
}
END_TEST

START_TEST(dashes_alone_are_an_empty_rest)
{
	ck_assert_int_eq(run(&bench, "sweep --"), 0);
	ck_assert_str_eq(out, "bench|sweep||NULL,|window 1 force 0 json 0 "
			      "verbose 0 level 2\n");
	ck_assert_int_eq(run(&bench, "sweep"), 0);
	ck_assert_str_eq(out, "bench|sweep|||window 1 force 0 json 0 "
			      "verbose 0 level 2\n");
}
END_TEST

START_TEST(flags_cluster_count_and_take_a_value)
{
	ck_assert_int_eq(run(&bench, "sweep -vvw3 --json --force=no"), 0);
	ck_assert_str_eq(out, "bench|sweep|||window 3 force 0 json 1 "
			      "verbose 2 level 3\n");
	ck_assert_int_eq(run(&bench, "sweep --verbose=5 -q"), 0);
	ck_assert_str_eq(out, "bench|sweep|||window 1 force 0 json 0 "
			      "verbose 5 level 0\n");
}
END_TEST

START_TEST(a_count_replaces_a_weaker_origin)
{
	setenv("FEDWATTS_BENCH_VERBOSE", "3", 1);
	ck_assert_int_eq(run(&bench, "sweep -v"), 0);
	ck_assert_ptr_nonnull(strstr(out, "verbose 1"));
	ck_assert_int_eq(run(&bench, "sweep"), 0);
	ck_assert_ptr_nonnull(strstr(out, "verbose 3"));
}
END_TEST

START_TEST(a_program_may_run_without_a_command)
{
	ck_assert_int_eq(run(&sensor, "-w 2 x"), 0);
	ck_assert_str_eq(out, "sensor|-|x,||window 2 force 0 json 0 verbose 0 "
			      "level 2\n");
	ck_assert_int_eq(run(&sensor, "fit"), 0);
	ck_assert_str_eq(out, "fit 0\n");
}
END_TEST

static const struct {
	const char *line, *message;
} wrong[] = {
	{ "", "bench: which command? ('bench --help' lists them)\n" },
	{ "swep", "bench: unknown command 'swep' (did you mean 'sweep'?)\n" },
	{ "help swep",
	  "bench: unknown command 'swep' (did you mean 'sweep'?)\n" },
	{ "xyzzy",
	  "bench: unknown command 'xyzzy' ('bench --help' lists them)\n" },
	{ "fit a", "bench: unexpected argument 'a' ('bench fit --help' shows "
		   "the usage)\n" },
	{ "fit -- a", "bench: unexpected argument 'a' ('bench fit --help' "
		      "shows the usage)\n" },
	{ "sweep --window 0", "bench: --window: expected 10 ms to 1 h, "
			      "found '0'\n" },
	{ "sweep -w 0", "bench: --window: expected 10 ms to 1 h, found '0'\n" },
	{ "sweep --json=maybe",
	  "bench: --json: expected yes or no, found 'maybe'\n" },
	{ "sweep --set wndow=3",
	  "bench: --set: unknown key 'wndow' (did you mean 'window'?)\n" },
	{ "sweep --set window=0", "bench: --set window: expected 10 ms to 1 h, "
				  "found '0'\n" },
	{ "sweep misuse", "bench: not like that\n" },
};

START_TEST(wrong_usage_ends_with_64_and_one_sentence)
{
	ck_assert_int_eq(run(&bench, wrong[_i].line), 64);
	ck_assert_str_eq(said, wrong[_i].message);
}
END_TEST

START_TEST(an_unknown_option_ends_with_64)
{
	ck_assert_int_eq(run(&bench, "sweep --wndow 3"), 64);
	ck_assert_int_eq(strncmp(said, "bench", 5), 0);
	ck_assert_ptr_nonnull(strstr(said, "'--wndow'"));
	ck_assert_ptr_nonnull(strstr(said, "did you mean --window?"));
	ck_assert_str_eq(out, "");
	ck_assert_int_eq(run(&bench, "--wndow"), 64);
	ck_assert_int_eq(run(&bench, "sweep --window"), 64);
}
END_TEST

START_TEST(a_failure_is_one_line_and_status_1)
{
	ck_assert_int_eq(run(&bench, "sweep fail"), 1);
	ck_assert_str_eq(said, "bench: it did not?work\n");
}
END_TEST

START_TEST(a_status_of_the_command_is_kept)
{
	ck_assert_int_eq(run(&bench, "sweep found"), 2);
	ck_assert_str_eq(said, "");
}
END_TEST

START_TEST(precedence_does_not_depend_on_order)
{
	scratch_write("c.json", "{\"window\": \"2s\", \"force\": true}");
	setenv("FEDWATTS_BENCH_WINDOW", "3s", 1);
	ck_assert_int_eq(run(&bench, "sweep --config c.json"), 0);
	ck_assert_ptr_nonnull(strstr(out, "window 3 force 1"));
	ck_assert_int_eq(run(&bench, "sweep --set window=4 --config c.json"),
			 0);
	ck_assert_ptr_nonnull(strstr(out, "window 4 force 1"));
	ck_assert_int_eq(
		run(&bench, "sweep --window 5 --set window=4 --config c.json"),
		0);
	ck_assert_ptr_nonnull(strstr(out, "window 5 force 1"));
}
END_TEST

static const struct {
	const char *json, *message;
} files[] = {
	{ "{\"widnow\": 1}",
	  "bench: c.json: unknown key 'widnow' (did you mean 'window'?)\n" },
	{ "{\"window\": \"0s\"}",
	  "bench: c.json: window: expected 10 ms to 1 h, found '0s'\n" },
	{ "{\"force\": \"x\"}",
	  "bench: c.json: force: expected true or false, found text\n" },
};

START_TEST(a_bad_file_ends_with_1)
{
	scratch_write("c.json", files[_i].json);
	ck_assert_int_eq(run(&bench, "sweep --config c.json"), 1);
	ck_assert_str_eq(said, files[_i].message);
}
END_TEST

START_TEST(a_missing_file_ends_with_1)
{
	ck_assert_int_eq(run(&bench, "sweep --config none.json"), 1);
	ck_assert_ptr_nonnull(strstr(said, "none.json"));
	ck_assert_ptr_nonnull(strstr(said, "No such file"));
}
END_TEST

START_TEST(a_variable_of_another_command_is_no_error)
{
	setenv("FEDWATTS_BENCH_MAP", "3", 1);
	ck_assert_int_eq(run(&bench, "sweep"), 0);
	setenv("FEDWATTS_BENCH_MAPP", "3", 1);
	ck_assert_int_eq(run(&bench, "sweep"), 64);
	ck_assert_ptr_nonnull(strstr(said, "FEDWATTS_BENCH_MAPP"));
	ck_assert_int_eq(run(&bench, "sweep --help"), 0);
}
END_TEST

START_TEST(the_config_is_printed)
{
	ck_assert_int_eq(run(&bench, "sweep --print-config -w 2 "
				     "--set radio.joules_per_byte=1e-7"),
			 0);
	ck_assert_str_eq(out, "window                = 2s  (--window)\n"
			      "models                = -  (default)\n"
			      "radio.joules_per_byte = 1e-07  (--set)\n"
			      "seed                  = 1  (default)\n");
}
END_TEST

static const char *const helps[] = { "help sweep", "sweep --help",
				     "sweep --window 5s --help" };

START_TEST(help_goes_to_stdout)
{
	ck_assert_int_eq(run(&bench, helps[_i]), 0);
	ck_assert_str_eq(said, "");
	ck_assert_ptr_nonnull(strstr(out, "Usage: bench sweep"));
	ck_assert_ptr_nonnull(strstr(out, "[MODEL...]"));
	ck_assert_ptr_nonnull(strstr(out, "-w, --window=D"));
	ck_assert_ptr_nonnull(strstr(out, "10 ms to"));
	ck_assert_ptr_nonnull(strstr(out, "--radio-joules-per-byte=N"));
	ck_assert_ptr_nonnull(strstr(out, "-q, --quiet "));
	ck_assert_ptr_nonnull(strstr(out, "--print-config"));
	ck_assert_ptr_nonnull(strstr(out, "Example: bench sweep"));
}
END_TEST

static const char *const program_helps[] = { "--help", "help" };

START_TEST(a_program_lists_its_commands)
{
	ck_assert_int_eq(run(&bench, program_helps[_i]), 0);
	ck_assert_ptr_nonnull(strstr(out, "  sweep  what steps cost\n"));
	ck_assert_ptr_nonnull(strstr(out, "  fit    make a table\n"));
	ck_assert_int_eq(run(&sensor, program_helps[_i]), 0);
	ck_assert_ptr_nonnull(strstr(out, "  fit  make a table\n"));
	ck_assert_ptr_nonnull(strstr(out, "--window=D"));
}
END_TEST

START_TEST(a_line_and_its_files_are_read_again)
{
	scratch_write("c.json", "{ \"window\": 3 }");
	ck_assert_int_eq(run(&bench, "run --config c.json x --force"), 1);
	ck_assert_str_eq(out, "again 7 1\n");
	ck_assert_ptr_nonnull(strstr(said, "bench: c.json: "));
}
END_TEST

START_TEST(the_version_goes_to_stdout)
{
	ck_assert_int_eq(run(&bench, "--version"), 0);
	ck_assert_int_eq(strncmp(out, "bench (FedWatts) ", 17), 0);
	ck_assert_ptr_nonnull(strstr(out, cli_version()));
	ck_assert_int_eq(run(&bench, "fit --version"), 0);
	ck_assert_int_eq(run(&bench, "fit --usage"), 0);
	ck_assert_ptr_nonnull(strstr(out, "Usage: bench fit"));
}
END_TEST

/* In a child of its own, as the shell would start it. */
static int status_of(void (*prepare)(void), const char *word)
{
	char name[] = "bench", copy[16];
	char *argv[] = { name, copy, NULL };
	pid_t pid;
	int status;

	snprintf(copy, sizeof(copy), "%s", word);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		redirect(2, "said");
		prepare();
		_exit(cli_main(&bench, 2, argv));
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

static void full_disk(void)
{
	dup2(open("/dev/full", O_WRONLY), 1);
}

START_TEST(a_full_disk_on_stdout_is_told)
{
	ck_assert_int_eq(WEXITSTATUS(status_of(full_disk, "fit")), 1);
	ck_assert_str_eq(scratch_read("said"),
			 "bench: standard output: No space left on device\n");
}
END_TEST

static void broken_pipe(void)
{
	int end[2];

	signal(SIGPIPE, SIG_IGN); /* as some parents leave it */
	ck_assert_int_eq(pipe(end), 0);
	close(end[0]);
	dup2(end[1], 1);
}

START_TEST(a_broken_pipe_ends_quietly)
{
	int status = status_of(broken_pipe, "fit");

	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(WTERMSIG(status), SIGPIPE);
	ck_assert_str_eq(scratch_read("said"), "");
}
END_TEST

static void closed(void)
{
	close(0);
	close(1);
}

START_TEST(closed_streams_are_survived)
{
	ck_assert_int_eq(WEXITSTATUS(status_of(closed, "fit")), 1);
	ck_assert_str_eq(scratch_read("said"),
			 "bench: standard output: Bad file descriptor\n");
}
END_TEST

START_TEST(a_stop_is_seen_and_a_later_second_one_kills)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (cli_stop_signal() != 0 || cli_stop_status() != 0)
			_exit(1);
		raise(SIGTERM);
		if (cli_stop_signal() != SIGTERM || cli_stop_status() != 143)
			_exit(2);
		raise(SIGTERM); /* timeout(1) says it twice */
		if (cli_stop_signal() != SIGTERM)
			_exit(3);
		usleep(600000);
		raise(SIGTERM);
		_exit(4);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(WTERMSIG(status), SIGTERM);
}
END_TEST

Suite *cli_suite(void);

Suite *cli_suite(void)
{
	Suite *suite = suite_create("cli");
	TCase *tcase = tcase_create("cli");

	tcase_add_checked_fixture(tcase, scratch_open, scratch_close);
	tcase_add_test(tcase, options_stand_anywhere_before_the_dashes);
	tcase_add_test(tcase,
		       options_stand_anywhere_for_posixly_correct_users_too);
	tcase_add_test(tcase, dashes_alone_are_an_empty_rest);
	tcase_add_test(tcase, flags_cluster_count_and_take_a_value);
	tcase_add_test(tcase, a_count_replaces_a_weaker_origin);
	tcase_add_test(tcase, a_program_may_run_without_a_command);
	tcase_add_loop_test(tcase, wrong_usage_ends_with_64_and_one_sentence, 0,
			    sizeof(wrong) / sizeof(wrong[0]));
	tcase_add_test(tcase, an_unknown_option_ends_with_64);
	tcase_add_test(tcase, a_failure_is_one_line_and_status_1);
	tcase_add_test(tcase, a_status_of_the_command_is_kept);
	tcase_add_test(tcase, precedence_does_not_depend_on_order);
	tcase_add_loop_test(tcase, a_bad_file_ends_with_1, 0,
			    sizeof(files) / sizeof(files[0]));
	tcase_add_test(tcase, a_missing_file_ends_with_1);
	tcase_add_test(tcase, a_variable_of_another_command_is_no_error);
	tcase_add_test(tcase, the_config_is_printed);
	tcase_add_loop_test(tcase, help_goes_to_stdout, 0, 3);
	tcase_add_loop_test(tcase, a_program_lists_its_commands, 0, 2);
	tcase_add_test(tcase, a_line_and_its_files_are_read_again);
	tcase_add_test(tcase, the_version_goes_to_stdout);
	tcase_add_test(tcase, a_full_disk_on_stdout_is_told);
	tcase_add_test(tcase, a_broken_pipe_ends_quietly);
	tcase_add_test(tcase, closed_streams_are_survived);
	tcase_add_test(tcase, a_stop_is_seen_and_a_later_second_one_kills);
	suite_add_tcase(suite, tcase);
	return suite;
}
