/* SPDX-License-Identifier: BSD-3-Clause */
#include "formula/top_view.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

const char *const top_sorts[] = { "watts", "name", "cpu", "energy", NULL };

/* ---- which rows, in which order ------------------------------------------ */

static double watts_now(const struct power_board *board,
			const struct board_target *target)
{
	return power_board_is_here(board, target) ? target->watts : 0;
}

static bool is_shown(const struct top_view *view,
		     const struct board_target *target)
{
	if (target->policy != view->policy)
		return false;
	return !view->filter[0] || strcasestr(target->name, view->filter) ||
	       strcasestr(target->target, view->filter);
}

struct order {
	const struct top_view *view;
	const struct power_board *board;
};

/* Unknown ones come last. */
static int compare_down(double x, double y)
{
	if (isnan(x) || isnan(y))
		return isnan(x) - isnan(y);
	return (x < y) - (x > y);
}

static int compare(const void *a, const void *b, void *context)
{
	const struct order *order = context;
	const struct power_board *board = order->board;
	const struct board_target *x = &board->target[*(const size_t *)a];
	const struct board_target *y = &board->target[*(const size_t *)b];
	int by = 0;

	switch (order->view->sort) {
	case TOP_BY_WATTS:
		by = compare_down(watts_now(board, x), watts_now(board, y));
		break;
	case TOP_BY_CPU:
		by = compare_down(x->cpus, y->cpus);
		break;
	case TOP_BY_ENERGY:
		by = compare_down(x->joules, y->joules);
		break;
	case TOP_BY_NAME:
		break;
	}
	if (!by)
		by = strcmp(x->name, y->name);
	if (!by)
		by = strcmp(x->target, y->target);
	return order->view->reversed ? -by : by;
}

size_t top_view_order(const struct top_view *view,
		      const struct power_board *board, size_t *order)
{
	struct order context = { view, board };
	size_t count = 0;

	for (size_t i = 0; i < board->targets; i++)
		if (is_shown(view, &board->target[i]))
			order[count++] = i;
	qsort_r(order, count, sizeof(*order), compare, &context);
	return count;
}

size_t top_view_rows(const struct top_view *view)
{
	int rows = view->height - TOP_HEAD_LINES - TOP_FOOT_LINES;

	return rows > 0 ? (size_t)rows : 0;
}

/* ---- keys ------------------------------------------------------------------------ */

static void filter_key(struct top_view *view, int key)
{
	size_t length = strlen(view->filter);

	view->first = 0;
	if (key == TERMINAL_ENTER || key == TERMINAL_ESCAPE) {
		view->typing = false;
		if (key == TERMINAL_ESCAPE)
			view->filter[0] = '\0';
	} else if (key == TERMINAL_ERASE) {
		/* All bytes of a character of UTF-8. */
		while (length && (view->filter[length - 1] & 0xc0) == 0x80)
			length--;
		view->filter[length ? length - 1 : 0] = '\0';
	} else if (key >= 0x20 && key < 0x100 && key != 0x7f &&
		   length + 1 < sizeof(view->filter)) {
		view->filter[length] = (char)key;
		view->filter[length + 1] = '\0';
	}
}

static bool scroll_key(struct top_view *view, const struct power_board *board,
		       int key)
{
	size_t *order = xcalloc(board->targets + 1, sizeof(*order));
	size_t count = top_view_order(view, board, order),
	       page = top_view_rows(view);
	size_t last = count > page ? count - page : 0;
	size_t first = view->first;

	free(order);
	switch (key) {
	case TERMINAL_UP:
		first -= first > 0;
		break;
	case TERMINAL_DOWN:
		first++;
		break;
	case TERMINAL_PAGE_UP:
		first -= first < page ? first : page;
		break;
	case TERMINAL_PAGE_DOWN:
		first += page;
		break;
	case TERMINAL_HOME:
		first = 0;
		break;
	case TERMINAL_END:
		first = last;
		break;
	default:
		return false;
	}
	view->first = first < last ? first : last;
	return true;
}

static bool sort_key(struct top_view *view, int key)
{
	static const char keys[] = "wnce"; /* as in enum top_sort */
	const char *at = key > 0 && key < 0x80 ? strchr(keys, key) : NULL;

	if (key == 's')
		view->sort = (enum top_sort)((view->sort + 1) % 4);
	else if (at)
		view->sort = (enum top_sort)(at - keys);
	else
		return false;
	view->reversed = false;
	view->first = 0;
	return true;
}

enum top_wish top_view_key(struct top_view *view,
			   const struct power_board *board, int key)
{
	view->note = NULL;
	if (view->typing) {
		filter_key(view, key);
		return TOP_GO_ON;
	}
	if (sort_key(view, key) || scroll_key(view, board, key))
		return TOP_GO_ON;
	switch (key) {
	case 'q':
	case 'Q':
		return TOP_QUIT;
	case 'r':
		view->reversed = !view->reversed;
		break;
	case '/':
		view->typing = true;
		view->filter[0] = '\0';
		break;
	case TERMINAL_ESCAPE:
		view->filter[0] = '\0';
		view->help = false;
		break;
	case 'p':
	case ' ':
		view->paused = !view->paused;
		break;
	case 'h':
	case '?':
		view->help = !view->help;
		break;
	case 'i':
		if (board->policies)
			view->policy = (view->policy + 1) % board->policies;
		break;
	case '\f': /* ^L */
	case TERMINAL_RESIZED:
		return TOP_REDRAW;
	default:
		break;
	}
	return TOP_GO_ON;
}
