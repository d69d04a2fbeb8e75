/* SPDX-License-Identifier: BSD-3-Clause */
#include "formula/terminal.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <ncurses.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>
#include <unistd.h>
#include <wchar.h>

#include "lib/mem.h"

struct terminal {
	SCREEN *screen;
	FILE *keys; /* the controlling terminal, or NULL: standard input */
	bool utf8, colours;
};

#define INSTEAD "for a file or a pipe: formula --to URI"

/* ncurses would end the program on a terminal that it does not know, and draw
 * rubbish on one that cannot place text. */
int terminal_check(struct err *err)
{
	const char *type = getenv("TERM");
	char place[] = "cup";
	bool places;
	int found = 0;

	if (!isatty(STDOUT_FILENO)) {
		err_set(err, ENOTTY, "standard output is no terminal");
		return err_remedy(err, INSTEAD);
	}
	if (!type || !*type) {
		err_set(err, EINVAL, "TERM is not set");
		return err_remedy(err, "TERM=xterm, say; " INSTEAD);
	}
	if (setupterm(NULL, STDOUT_FILENO, &found) == ERR) {
		err_set(err, EINVAL, "terminal '%.60s': unknown here", type);
		return err_remedy(err, "TERM=xterm, say; " INSTEAD);
	}
	/* The answer for a capability of another kind is -1. */
	places = tigetstr(place) && tigetstr(place) != (char *)-1;
	(void)del_curterm(cur_term);
	if (places)
		return 0;
	err_set(err, EINVAL, "terminal '%.60s': cannot place text", type);
	return err_remedy(err, INSTEAD);
}

static int keys_open(struct terminal *terminal, struct err *err)
{
	if (isatty(STDIN_FILENO))
		return 0;
	terminal->keys = fopen("/dev/tty", "re");
	if (!terminal->keys)
		return err_sys(err, "keys: /dev/tty");
	return 0;
}

static void colours_start(struct terminal *terminal)
{
	const char *without = getenv("NO_COLOR");

	if ((without && *without) || !has_colors() || start_color() == ERR)
		return;
	terminal->colours = use_default_colors() == OK &&
			    init_pair(1, COLOR_YELLOW, -1) == OK;
}

struct terminal *terminal_open(struct err *err)
{
	struct terminal *terminal;

	(void)setlocale(LC_CTYPE, "");
	if (terminal_check(err) < 0)
		return NULL;
	terminal = xcalloc(1, sizeof(*terminal));
	terminal->utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	if (keys_open(terminal, err) < 0) {
		free(terminal);
		return NULL;
	}
	terminal->screen =
		newterm(NULL, stdout, terminal->keys ? terminal->keys : stdin);
	if (!terminal->screen) {
		err_set(err, EINVAL,
			"the terminal cannot be used (" INSTEAD ")");
		terminal_close(terminal);
		return NULL;
	}
	(void)set_escdelay(50);
	(void)cbreak();
	(void)noecho();
	(void)curs_set(0);
	(void)keypad(stdscr, TRUE);
	(void)nodelay(stdscr, TRUE);
	colours_start(terminal);
	(void)erase();
	return terminal;
}

void terminal_close(struct terminal *terminal)
{
	if (!terminal)
		return;
	if (terminal->screen) {
		(void)endwin();
		delscreen(terminal->screen);
	}
	if (terminal->keys)
		(void)fclose(terminal->keys);
	free(terminal);
}

void terminal_size(const struct terminal *terminal, int *width, int *height)
{
	(void)terminal;
	getmaxyx(stdscr, *height, *width);
}

int terminal_fd(const struct terminal *terminal)
{
	return terminal->keys ? fileno(terminal->keys) : STDIN_FILENO;
}

bool terminal_has_utf8(const struct terminal *terminal)
{
	return terminal->utf8;
}

int terminal_key(struct terminal *terminal)
{
	static const struct {
		int from, to;
	} keys[] = {
		{ KEY_UP, TERMINAL_UP },
		{ KEY_DOWN, TERMINAL_DOWN },
		{ KEY_PPAGE, TERMINAL_PAGE_UP },
		{ KEY_NPAGE, TERMINAL_PAGE_DOWN },
		{ KEY_HOME, TERMINAL_HOME },
		{ KEY_END, TERMINAL_END },
		{ KEY_BACKSPACE, TERMINAL_ERASE },
		{ 0x7f, TERMINAL_ERASE },
		{ '\b', TERMINAL_ERASE },
		{ KEY_ENTER, TERMINAL_ENTER },
		{ '\r', TERMINAL_ENTER },
		{ KEY_RESIZE, TERMINAL_RESIZED },
	};
	int key = getch();

	(void)terminal;
	if (key == ERR)
		return 0;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i].from == key)
			return keys[i].to;
	return key < 0x100 ? key : 0;
}

static attr_t attribute_of(const struct terminal *terminal,
			   enum terminal_style style)
{
	switch (style) {
	case TERMINAL_BOLD:
		return A_BOLD;
	case TERMINAL_DIM:
		return A_DIM;
	case TERMINAL_REVERSE:
		return A_REVERSE;
	case TERMINAL_WARNING:
		return terminal->colours ? (attr_t)COLOR_PAIR(1) : A_NORMAL;
	case TERMINAL_PLAIN:
		break;
	}
	return A_NORMAL;
}

void terminal_clear(struct terminal *terminal)
{
	(void)terminal;
	(void)erase();
}

/* Wide characters may take two columns: what does not fit is cut off rather
 * than wrapped over the next line. */
void terminal_put(struct terminal *terminal, int line, const char *text,
		  enum terminal_style style)
{
	int room = COLS;

	if (line >= LINES || move(line, 0) == ERR)
		return;
	(void)attrset((int)attribute_of(terminal, style));
	while (*text) {
		wchar_t c = L'?';
		int length = mbtowc(&c, text, MB_CUR_MAX);
		int cells = length > 0 ? wcwidth(c) : -1;

		room -= cells;
		if (cells < 0 || room < 0 || addnstr(text, length) == ERR)
			break;
		text += length;
	}
	for (; style == TERMINAL_REVERSE && room > 0; room--)
		if (addch(' ') == ERR)
			break;
	(void)attrset(A_NORMAL);
}

void terminal_show(struct terminal *terminal)
{
	(void)terminal;
	(void)refresh();
}

void terminal_redraw(struct terminal *terminal)
{
	(void)terminal;
	(void)clearok(curscr, TRUE);
}
