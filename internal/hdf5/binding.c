#include "binding.h"
#include <string.h>

static char message[256];

static herr_t note(unsigned n, const H5E_error2_t *e, void *unused) {
	(void)unused;
	// The upward walk begins at the function that failed: its description is the reason.
	if (n == 0 && e->desc) {
		strncpy(message, e->desc, sizeof message - 1);
	}
	return 0;
}

const char *ww_last_error(void) {
	message[0] = 0;
	H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, note, NULL);
	H5Eclear2(H5E_DEFAULT);
	return message;
}

void ww_quiet(void) { H5Eset_auto2(H5E_DEFAULT, NULL, NULL); }

// half reports whether the type is a 16-bit IEEE 754 number.
static int half(hid_t type) {
	size_t sign, exponent, exponent_size, mantissa, mantissa_size;
	return H5Tget_class(type) == H5T_FLOAT && H5Tget_size(type) == 2 &&
	       H5Tget_fields(type, &sign, &exponent, &exponent_size, &mantissa, &mantissa_size) >= 0 && sign == 15 && exponent == 10 &&
	       exponent_size == 5 && mantissa == 0 && mantissa_size == 10 && H5Tget_ebias(type) == 15 &&
	       H5Tget_norm(type) == H5T_NORM_IMPLIED && H5Tget_offset(type) == 0 && H5Tget_precision(type) == 16;
}

static void number(hid_t type, ww_set *s) {
	if (H5Tequal(type, H5T_IEEE_F32LE) > 0) {
		s->bytes = 4;
	} else if (H5Tequal(type, H5T_IEEE_F32BE) > 0) {
		s->bytes = 4, s->big_endian = 1;
	} else if (H5Tequal(type, H5T_IEEE_F64LE) > 0) {
		s->bytes = 8;
	} else if (H5Tequal(type, H5T_IEEE_F64BE) > 0) {
		s->bytes = 8, s->big_endian = 1;
	} else if (half(type) && (H5Tget_order(type) == H5T_ORDER_LE || H5Tget_order(type) == H5T_ORDER_BE)) {
		s->bytes = 2, s->big_endian = H5Tget_order(type) == H5T_ORDER_BE;
	}
}

static int describe(ww_set *s) {
	hid_t space = H5Dget_space(s->set), type = H5Dget_type(s->set), plist = H5Dget_create_plist(s->set);
	int ok = space >= 0 && type >= 0 && plist >= 0;
	if (ok) {
		s->rank = H5Sget_simple_extent_ndims(space);
		ok = s->rank >= 0 && (s->rank > WW_MAX_RANK || H5Sget_simple_extent_dims(space, s->dims, NULL) >= 0);
	}
	if (ok) {
		number(type, s);
		H5D_layout_t layout = H5Pget_layout(plist);
		s->layout = WW_OTHER;
		if (layout == H5D_CHUNKED && s->rank <= WW_MAX_RANK) {
			s->layout = WW_CHUNKED;
			ok = H5Pget_chunk(plist, WW_MAX_RANK, s->chunk) == s->rank;
		} else if (layout == H5D_CONTIGUOUS && H5Pget_external_count(plist) == 0) {
			s->layout = WW_CONTIGUOUS;
			s->offset = H5Dget_offset(s->set);
		}
		// The fill value is not read: libhdf5 1.10 can crash when it converts a damaged one.
		int n = H5Pget_nfilters(plist);
		ok = ok && n >= 0;
		s->filters = n > WW_MAX_FILTERS ? -1 : n;
		for (int i = 0; i < s->filters; i++) {
			unsigned flags, config;
			size_t values = 0;
			s->filter[i] = H5Pget_filter2(plist, i, &flags, &values, NULL, 0, NULL, &config);
		}
	}
	if (plist >= 0) H5Pclose(plist);
	if (type >= 0) H5Tclose(type);
	if (space >= 0) H5Sclose(space);
	return ok ? 0 : -1;
}

int ww_has_offset(const ww_set *s) { return s->offset != HADDR_UNDEF; }

// Opens for reading. Returns -1 if the file or -2 if the dataset can't be opened, -3 if the dataset can't be described.
int ww_open(const char *path, const char *name, ww_set *s) {
	memset(s, 0, sizeof *s);
	s->file = s->set = -1;
	hid_t access = H5Pcreate(H5P_FILE_ACCESS);
	if (access < 0) return -1;
#if H5_VERSION_GE(1, 10, 7)
	H5Pset_file_locking(access, 0, 1); // locking fails on some read-only and network file systems
#endif
	s->file = H5Fopen(path, H5F_ACC_RDONLY, access);
	H5Pclose(access);
	if (s->file < 0) return -1;
	s->set = H5Dopen2(s->file, name, H5P_DEFAULT);
	if (s->set < 0) return -2;
	return describe(s) == 0 ? 0 : -3;
}

int ww_chunk_size(ww_set *s, const hsize_t *offset, hsize_t *size) { return H5Dget_chunk_storage_size(s->set, offset, size) < 0 ? -1 : 0; }

int ww_read_chunk(ww_set *s, const hsize_t *offset, uint32_t *skipped, void *out) {
	return H5Dread_chunk(s->set, H5P_DEFAULT, offset, skipped, out) < 0 ? -1 : 0;
}

// Creates a file in memory.
int ww_create(const char *name, int rank, const hsize_t *dims, const hsize_t *chunk, unsigned level, ww_set *s) {
	memset(s, 0, sizeof *s);
	s->file = s->set = -1;
	hid_t access = H5Pcreate(H5P_FILE_ACCESS);
	if (access >= 0 && H5Pset_fapl_core(access, 1 << 20, 0) >= 0) {
		s->file = H5Fcreate("memory", H5F_ACC_TRUNC, H5P_DEFAULT, access);
	}
	if (access >= 0) H5Pclose(access);
	if (s->file < 0) return -1;
	hid_t space = H5Screate_simple(rank, dims, NULL), plist = H5Pcreate(H5P_DATASET_CREATE);
	if (space >= 0 && plist >= 0 && H5Pset_chunk(plist, rank, chunk) >= 0 && H5Pset_deflate(plist, level) >= 0) {
		s->set = H5Dcreate2(s->file, name, H5T_IEEE_F32LE, space, H5P_DEFAULT, plist, H5P_DEFAULT);
	}
	if (plist >= 0) H5Pclose(plist);
	if (space >= 0) H5Sclose(space);
	return s->set < 0 ? -1 : 0;
}

int ww_write_chunk(ww_set *s, const hsize_t *offset, size_t size, const void *data) {
	return H5Dwrite_chunk(s->set, H5P_DEFAULT, 0, offset, size, data) < 0 ? -1 : 0;
}

// Copies the file in memory to image, or returns only its size if image is NULL. Returns -1 after an error.
ssize_t ww_image(ww_set *s, void *image, size_t size) {
	if (H5Fflush(s->file, H5F_SCOPE_LOCAL) < 0) return -1;
	return H5Fget_file_image(s->file, image, size);
}

int ww_close(ww_set *s) {
	int failed = (s->set >= 0 && H5Dclose(s->set) < 0);
	failed |= (s->file >= 0 && H5Fclose(s->file) < 0);
	s->file = s->set = -1;
	return failed ? -1 : 0;
}
