/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/npy.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#define MAGIC        "\x93NUMPY"
#define MAGIC_LENGTH 6
/* Arrays of numbers need some 128 bytes. */
#define HEADER_MAX   65536u
#define ELEMENTS_MAX ((size_t)1 << 48)

/* The header, a Python dictionary of constants. */
struct literal {
	const char *at, *end;
};

static void skip_space(struct literal *text)
{
	while (text->at < text->end && isspace((unsigned char)*text->at))
		text->at++;
}

/* Take `c`, if it is next. */
static bool take(struct literal *text, char c)
{
	skip_space(text);
	if (text->at == text->end || *text->at != c)
		return false;
	text->at++;
	return true;
}

/* 'descr' or "descr", without escapes. */
static bool take_string(struct literal *text, const char **start,
			size_t *length)
{
	const char *end;
	char quote = '\'';

	if (!take(text, quote)) {
		quote = '"';
		if (!take(text, quote))
			return false;
	}
	end = memchr(text->at, quote, (size_t)(text->end - text->at));
	if (!end)
		return false;
	*start = text->at;
	*length = (size_t)(end - text->at);
	text->at = end + 1;
	return true;
}

static bool take_word(struct literal *text, const char *word)
{
	size_t length = strlen(word);

	skip_space(text);
	if ((size_t)(text->end - text->at) < length ||
	    memcmp(text->at, word, length) != 0)
		return false;
	text->at += length;
	return true;
}

static bool take_size(struct literal *text, size_t *size)
{
	bool any = false;

	skip_space(text);
	for (*size = 0;
	     text->at < text->end && isdigit((unsigned char)*text->at);
	     text->at++, any = true) {
		if (*size > ELEMENTS_MAX)
			return false;
		*size = *size * 10 + (size_t)(*text->at - '0');
	}
	if (any && text->at < text->end && *text->at == 'L') /* Python 2 */
		text->at++;
	return any;
}

/* ---- members ----------------------------------------------------------------- */

static const struct {
	const char *name;
	enum dataset_type type;
} types[] = {
	{ "u1", DATASET_U1 }, { "b1", DATASET_I1 }, { "i1", DATASET_I1 },
	{ "u2", DATASET_U2 }, { "i2", DATASET_I2 }, { "u4", DATASET_U4 },
	{ "i4", DATASET_I4 }, { "u8", DATASET_U8 }, { "i8", DATASET_I8 },
	{ "f2", DATASET_F2 }, { "f4", DATASET_F4 }, { "f8", DATASET_F8 },
};

static int type_unknown(const char *name, size_t length, struct err *err)
{
	err_set(err, EINVAL, "elements of type '%.*s'",
		(int)(length < 20 ? length : 20), name);
	if (length > 1 && name[1] == 'O')
		return err_remedy(err, "objects are not read: save numbers");
	return err_remedy(err, "there are u1 … u8, i1 … i8, f2, f4, f8, b1");
}

static int type_read(struct npy *array, struct literal *text, struct err *err)
{
	const char *name;
	size_t length;
	bool little = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;

	if (!take_string(text, &name, &length))
		return err_set(err, EINVAL,
			       "records are not read (save plain arrays)");
	if (length != 3 || !name[0] || !strchr("<>|=", name[0]))
		return type_unknown(name, length, err);
	array->swapped = name[0] == (little ? '>' : '<');
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (memcmp(types[i].name, name + 1, 2) == 0) {
			array->type = types[i].type;
			return 0;
		}
	return type_unknown(name, length, err);
}

static int shape_read(struct npy *array, struct literal *text, struct err *err)
{
	if (!take(text, '('))
		return err_set(err, EINVAL, "damaged header: no shape");
	array->dimensions = 0;
	array->elements = 1;
	while (!take(text, ')')) {
		size_t size;

		if (array->dimensions == NPY_DIMENSIONS_MAX)
			return err_set(err, EINVAL, "more than %d dimensions",
				       NPY_DIMENSIONS_MAX);
		if (!take_size(text, &size) ||
		    (size && array->elements > ELEMENTS_MAX / size))
			return err_set(err, EINVAL,
				       "damaged header: impossible shape");
		array->size[array->dimensions++] = size;
		array->elements *= size;
		if (!take(text, ',') &&
		    (text->at == text->end || *text->at != ')'))
			return err_set(err, EINVAL,
				       "damaged header: impossible shape");
	}
	return 0;
}

static int fortran_read(struct npy *array, struct literal *text,
			struct err *err)
{
	array->fortran = take_word(text, "True");
	if (array->fortran || take_word(text, "False"))
		return 0;
	return err_set(err, EINVAL, "damaged header: fortran_order");
}

static int member_read(struct npy *array, struct literal *text,
		       unsigned int *seen, struct err *err)
{
	static const char *const keys[] = { "descr", "fortran_order", "shape" };
	static int (*const read[])(struct npy *, struct literal *,
				   struct err *) = {
		type_read,
		fortran_read,
		shape_read,
	};
	const char *key;
	size_t length;

	if (!take_string(text, &key, &length) || !take(text, ':'))
		return err_set(err, EINVAL, "damaged header");
	for (unsigned int i = 0; i < 3; i++)
		if (strlen(keys[i]) == length &&
		    memcmp(keys[i], key, length) == 0) {
			*seen |= 1u << i;
			return read[i](array, text, err);
		}
	return err_set(err, EINVAL, "damaged header: unknown key '%.*s'",
		       (int)(length < 20 ? length : 20), key);
}

static int header_read(struct npy *array, struct literal text, struct err *err)
{
	unsigned int seen = 0;

	if (!take(&text, '{'))
		return err_set(err, EINVAL, "damaged header");
	while (!take(&text, '}')) {
		if (member_read(array, &text, &seen, err) < 0)
			return -1;
		if (!take(&text, ',') &&
		    (text.at == text.end || *text.at != '}'))
			return err_set(err, EINVAL, "damaged header");
	}
	if (seen != 7)
		return err_set(err, EINVAL,
			       "damaged header: descr, fortran_order or shape "
			       "is missing");
	return 0;
}

/* ---- the file ---------------------------------------------------------------- */

static size_t little_endian(const unsigned char *b, size_t n)
{
	size_t value = 0;

	while (n--)
		value = value << 8 | b[n];
	return value;
}

/* Where the dictionary stands, and how long it is. */
static int prologue_read(const unsigned char *bytes, size_t length,
			 size_t *start, size_t *header, struct err *err)
{
	size_t field;

	if (length < MAGIC_LENGTH + 2 ||
	    memcmp(bytes, MAGIC, MAGIC_LENGTH) != 0)
		return err_set(err, EINVAL, "no NumPy array: wrong magic");
	if (bytes[6] < 1 || bytes[6] > 3)
		return err_set(err, EINVAL,
			       "format version %u, expected 1 to 3", bytes[6]);
	field = bytes[6] == 1 ? 2 : 4;
	*start = MAGIC_LENGTH + 2 + field;
	if (length < *start)
		return err_set(err, EINVAL, "truncated: no header");
	*header = little_endian(bytes + MAGIC_LENGTH + 2, field);
	if (*header > HEADER_MAX)
		return err_set(err, EINVAL,
			       "a header of %zu bytes, more than %u", *header,
			       HEADER_MAX);
	if (length - *start < *header)
		return err_set(err, EINVAL, "truncated: no header");
	return 0;
}

int npy_parse(struct npy *array, const unsigned char *bytes, size_t length,
	      struct err *err)
{
	size_t start = 0, header = 0, wanted;
	const char *text;

	if (prologue_read(bytes, length, &start, &header, err) < 0)
		return -1;
	text = (const char *)bytes + start;
	*array = (struct npy){ .data = bytes + start + header };
	if (header_read(array, (struct literal){ text, text + header }, err) <
	    0)
		return -1;
	length -= start + header;
	wanted = array->elements * dataset_type_size(array->type);
	if (length < wanted)
		return err_set(err, EINVAL,
			       "truncated: %zu bytes where its header "
			       "promises %zu",
			       length, wanted);
	if (length > wanted)
		return err_set(err, EINVAL,
			       "longer than the %zu bytes that its header "
			       "promises",
			       wanted);
	return 0;
}
