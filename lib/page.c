/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/page.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lib/gnuplot.h"
#include "lib/mem.h"
#include "lib/text.h"

struct page {
	char *title;
	struct text body;
	int plots;
};

static const char style[] =
	"body{margin:2.5rem auto;max-width:60rem;padding:0 1.25rem;"
	"font:16px/1.55 system-ui,-apple-system,\"Segoe UI\",Roboto,"
	"\"Helvetica Neue\",\"Noto Sans\",sans-serif;"
	"color:#1c2126;background:#fff}\n"
	"h1{font-size:1.7rem;line-height:1.25;margin:0 0 1.2rem}\n"
	"h2{font-size:1.2rem;margin:2.6rem 0 .6rem}\n"
	"p{margin:.7rem 0;max-width:46rem}\n"
	"figure{margin:1.6rem 0}\n"
	"figcaption{font-weight:600;margin-bottom:.4rem}\n"
	"svg{display:block;width:100%;height:auto}\n"
	"svg text{font-family:inherit}\n"
	".table{overflow-x:auto;margin:1.2rem 0}\n"
	"table{border-collapse:collapse;font-size:.92rem}\n"
	"th,td{padding:.32rem 1.4rem .32rem 0;text-align:left;"
	"white-space:nowrap;border-bottom:1px solid #e3e6e9}\n"
	"th{border-bottom:2px solid #9aa3ab;font-weight:600}\n"
	"tbody tr:hover{background:#f5f7f9}\n"
	".number{text-align:right;font-variant-numeric:tabular-nums}\n"
	".empty{color:#68727b}\n"
	"@media print{body{margin:0;max-width:none}"
	"figure,tr{break-inside:avoid}}\n";

struct page *page_new(const char *title)
{
	struct page *page = xcalloc(1, sizeof(*page));

	page->title = xstrdup(title);
	return page;
}

static void put_element(struct text *out, const char *tag, const char *text)
{
	text_printf(out, "<%s>", tag);
	text_put_html(out, text);
	text_printf(out, "</%s>\n", tag);
}

void page_heading(struct page *page, const char *text)
{
	put_element(&page->body, "h2", text);
}

void page_paragraph(struct page *page, const char *format, ...)
{
	struct text text = TEXT_INIT;
	va_list args;

	va_start(args, format);
	text_vprintf(&text, format, args);
	va_end(args);
	put_element(&page->body, "p", text.data);
	text_done(&text);
}

void page_table(struct page *page, const struct table *table)
{
	text_put(&page->body, "<div class=\"table\">\n");
	table_put_html(table, &page->body);
	text_put(&page->body, "</div>\n");
}

/* If `at` names or calls an id, how long is what stands before the name? */
static size_t before_id(const char *at)
{
	static const char *const forms[] = { " id='", " id=\"", "href='#",
					     "href=\"#", "url(#" };
	size_t i;

	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (strncmp(at, forms[i], strlen(forms[i])) == 0)
			return strlen(forms[i]);
	return 0;
}

/* gnuplot names its marks alike in every plot; on a page ids are unique. */
static void put_with_ids(struct text *out, const char *svg, int plot)
{
	size_t length;

	while (*svg != '\0') {
		length = before_id(svg);
		if (length > 0) {
			text_put_bytes(out, svg, length);
			text_printf(out, "p%d-", plot);
			svg += length;
		} else {
			text_put_char(out, *svg++);
		}
	}
}

/* What stands from <svg> on; its own title is gnuplot's name, not ours. */
static int put_svg(struct page *page, const char *title, const char *svg,
		   struct err *err)
{
	const char *open = strstr(svg, "<svg");
	const char *end = open ? strstr(open, "</title>") : NULL;

	if (end == NULL)
		return err_set(err, EIO, "gnuplot: what it drew is no SVG");
	page->plots++;
	text_put(&page->body, "<figure>\n");
	if (title != NULL)
		put_element(&page->body, "figcaption", title);
	text_put(&page->body, "<svg role=\"img\"");
	open += strlen("<svg");
	text_put_bytes(&page->body, open,
		       (size_t)(strchr(open, '>') + 1 - open));
	put_element(&page->body, "title", title ? title : "");
	put_with_ids(&page->body, end + strlen("</title>"), page->plots);
	text_put(&page->body, "</figure>\n");
	return 0;
}

static void put_empty(struct page *page, const char *title)
{
	text_put(&page->body, "<figure>\n");
	if (title != NULL)
		put_element(&page->body, "figcaption", title);
	text_put(&page->body, "<p class=\"empty\">Nothing to plot: no values."
			      "</p>\n</figure>\n");
}

int page_plot(struct page *page, const struct plot *plot, struct err *err)
{
	struct text script = TEXT_INIT, svg = TEXT_INIT;
	int rc;

	if (!gnuplot_can_show(plot)) {
		put_empty(page, plot->title);
		return 0;
	}
	gnuplot_script(&script, plot);
	rc = gnuplot_run(&script, &svg, err);
	if (rc == 0)
		rc = put_svg(page, plot->title, svg.data ? svg.data : "", err);
	text_done(&script);
	text_done(&svg);
	return rc;
}

int page_write(const struct page *page, const char *path, bool force,
	       struct err *err)
{
	struct text html = TEXT_INIT;
	int rc;

	text_put(&html, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
			"<meta charset=\"utf-8\">\n"
			"<meta name=\"viewport\" "
			"content=\"width=device-width,initial-scale=1\">\n");
	put_element(&html, "title", page->title);
	text_printf(&html, "<style>\n%s</style>\n</head>\n<body>\n", style);
	put_element(&html, "h1", page->title);
	if (page->body.data != NULL)
		text_put(&html, page->body.data);
	text_put(&html, "</body>\n</html>\n");
	rc = text_write_file(&html, path, force, err);
	text_done(&html);
	return rc;
}

void page_free(struct page *page)
{
	if (page == NULL)
		return;
	text_done(&page->body);
	free(page->title);
	free(page);
}
