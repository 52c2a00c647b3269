// The calls of libhdf5 that this package makes, without the macros and handles that cgo cannot express.
#ifndef WWFLOW_HDF5_H
#define WWFLOW_HDF5_H
#include <hdf5.h>

enum { WW_MAX_RANK = 4, WW_MAX_FILTERS = 4, WW_CHUNKED = 1, WW_CONTIGUOUS = 2, WW_OTHER = 3 };

typedef struct {
	hid_t file, set;
	int rank;
	hsize_t dims[WW_MAX_RANK];
	int layout;                 // WW_CHUNKED, WW_CONTIGUOUS or WW_OTHER
	hsize_t chunk[WW_MAX_RANK];
	int filters;                // number of filters; -1 = more than WW_MAX_FILTERS
	int filter[WW_MAX_FILTERS]; // filter numbers, in the order of application
	int bytes;                  // size of an IEEE 754 number: 2, 4 or 8; 0 = another type
	int big_endian;
	haddr_t offset;             // of a contiguous dataset in the file; HADDR_UNDEF = not allocated
} ww_set;

void ww_quiet(void);
const char *ww_last_error(void);
int ww_open(const char *path, const char *name, ww_set *s);
int ww_has_offset(const ww_set *s);
int ww_chunk_size(ww_set *s, const hsize_t *offset, hsize_t *size);
int ww_read_chunk(ww_set *s, const hsize_t *offset, uint32_t *skipped, void *out);
int ww_create(const char *name, int rank, const hsize_t *dims, const hsize_t *chunk, unsigned level, ww_set *s);
int ww_write_chunk(ww_set *s, const hsize_t *offset, size_t size, const void *data);
ssize_t ww_image(ww_set *s, void *image, size_t size);
int ww_close(ww_set *s);

// A table: datasets on disk that grow by a row at a time. See Table.
enum { WW_FLOAT16, WW_FLOAT32, WW_FLOAT64, WW_INT64 };

int ww_table_errno(void);
const char *ww_table_error(void);
hid_t ww_table_create(const char *path);
hid_t ww_table_set(hid_t file, const char *name, int kind, int rank, const hsize_t *chunk);
int ww_set_text(hid_t set, const char *name, const char *value);
int ww_set_numbers(hid_t set, const char *name, int kind, hsize_t count, const void *values);
int ww_append(hid_t set, hsize_t row, const void *data);
int ww_close_set(hid_t set);
int ww_table_flush(hid_t file);
int ww_table_close(hid_t file);
void ww_table_abandon(hid_t file);
#endif
