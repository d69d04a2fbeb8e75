/* SPDX-License-Identifier: BSD-3-Clause */
/* Whatever power reports say, a line of JSON each, and whatever is typed (the
 * first line): the view keeps to its size, and sends no orders to a terminal. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "formula/top_view.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct top_view *view, const struct power_board *board)
{
	struct top_screen screen = { 0 };

	top_view_draw(view, board, &screen);
	if (screen.lines != (size_t)view->height)
		abort();
	for (size_t i = 0; i < screen.lines; i++) {
		const char *text = screen.line[i].text.data;

		if (text_width(text) > (size_t)view->width)
			abort();
		for (; *text; text++)
			if ((unsigned char)*text < 0x20 || *text == 0x7f)
				abort();
	}
	top_screen_done(&screen);
}

/* How long the first line is, its newline with it. */
static size_t line_of(const uint8_t *data, size_t size)
{
	const uint8_t *end = memchr(data, '\n', size);

	return end ? (size_t)(end - data) + 1 : size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct top_view view = { .width = 80, .height = 24, .utf8 = true };
	struct power_board *board = power_board_new();
	size_t typed = size ? line_of(data, size) : 0;

	for (size_t at = typed, length; at < size; at += length) {
		struct doc *doc;

		length = line_of(data + at, size - at);
		doc = doc_parse((const char *)data + at, length, NULL);
		if (doc)
			(void)power_board_put(board, doc, NULL);
		doc_free(doc);
	}
	check(&view, board);
	for (size_t i = 0; i < typed; i++) {
		/* Every other key is one of those without a letter. */
		int key = i % 2 ? TERMINAL_UP + data[i] % 8 : data[i];

		if (top_view_key(&view, board, key) == TOP_QUIT)
			break;
		view.width = data[i];
		view.height = 1 + data[i] % 50;
		view.utf8 = i % 3;
		check(&view, board);
	}
	power_board_free(board);
	return 0;
}
