#define _GNU_SOURCE // memfd_create
#include "binding.h"
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

// The last failure. libhdf5 forgets it with the next call, such as one that frees something.
static int error_number;
static char error_text[256];

static herr_t note(unsigned n, const H5E_error2_t *e, void *unused) {
	(void)unused;
	const char *at = e->desc ? strstr(e->desc, "errno = ") : NULL;
	if (at) sscanf(at, "errno = %d", &error_number);
	if (n == 0 && e->desc) strncpy(error_text, e->desc, sizeof error_text - 1);
	return 0;
}

// failed keeps the reason of a failure: 0 = false.
static int failed(int yes) {
	if (yes) {
		error_number = 0, error_text[0] = 0;
		H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, note, NULL);
	}
	return yes;
}

// Returns the number of the system's error behind the last failure of a table, 0 if there is none.
int ww_table_errno(void) { return error_number; }

// Returns the reason of the last failure of a table.
const char *ww_table_error(void) { return error_text; }

// type returns a type that the caller closes.
static hid_t type(int kind) {
	switch (kind) {
	case WW_FLOAT64: return H5Tcopy(H5T_IEEE_F64LE);
	case WW_INT64: return H5Tcopy(H5T_STD_I64LE);
	}
	hid_t t = H5Tcopy(H5T_IEEE_F32LE);
	// libhdf5 1.10 has no name for this type. h5py makes it in the same way.
	if (kind == WW_FLOAT16 && t >= 0 && (H5Tset_fields(t, 15, 10, 5, 0, 10) < 0 || H5Tset_size(t, 2) < 0 || H5Tset_ebias(t, 15) < 0)) {
		H5Tclose(t);
		return -1;
	}
	return t;
}

hid_t ww_table_create(const char *path) {
	hid_t access = H5Pcreate(H5P_FILE_ACCESS);
	if (access < 0) return -1;
#if H5_VERSION_GE(1, 10, 7)
	H5Pset_file_locking(access, 0, 1); // the caller may hold a lock of its own
#endif
	hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, access);
	failed(file < 0);
	H5Pclose(access);
	return file;
}

// chunk[0] is the number of rows in a chunk, the rest is the shape of a row.
hid_t ww_table_set(hid_t file, const char *name, int kind, int rank, const hsize_t *chunk) {
	hsize_t dims[WW_MAX_RANK], limit[WW_MAX_RANK];
	memcpy(dims, chunk, sizeof dims);
	memcpy(limit, chunk, sizeof limit);
	dims[0] = 0;
	limit[0] = H5S_UNLIMITED;
	hid_t set = -1, t = type(kind), space = H5Screate_simple(rank, dims, limit), plist = H5Pcreate(H5P_DATASET_CREATE);
	if (t >= 0 && space >= 0 && plist >= 0 && H5Pset_chunk(plist, rank, chunk) >= 0) {
		set = H5Dcreate2(file, name, t, space, H5P_DEFAULT, plist, H5P_DEFAULT);
	}
	failed(set < 0);
	if (plist >= 0) H5Pclose(plist);
	if (space >= 0) H5Sclose(space);
	if (t >= 0) H5Tclose(t);
	return set;
}

static int attribute(hid_t set, const char *name, hid_t t, hid_t space, const void *value) {
	hid_t a = t < 0 || space < 0 ? -1 : H5Acreate2(set, name, t, space, H5P_DEFAULT, H5P_DEFAULT);
	int bad = failed(a < 0 || H5Awrite(a, t, value) < 0);
	if (a >= 0) bad |= failed(H5Aclose(a) < 0);
	if (space >= 0) H5Sclose(space);
	if (t >= 0) H5Tclose(t);
	return bad ? -1 : 0;
}

int ww_set_text(hid_t set, const char *name, const char *value) {
	hid_t t = H5Tcopy(H5T_C_S1); // of variable length: h5py reads it as str
	if (t >= 0) {
		H5Tset_size(t, H5T_VARIABLE);
		H5Tset_cset(t, H5T_CSET_UTF8);
	}
	return attribute(set, name, t, H5Screate(H5S_SCALAR), &value);
}

// count 0 = a single number, not an array.
int ww_set_numbers(hid_t set, const char *name, int kind, hsize_t count, const void *values) {
	return attribute(set, name, type(kind), count > 0 ? H5Screate_simple(1, &count, NULL) : H5Screate(H5S_SCALAR), values);
}

// Writes the row with that number, one after the last.
int ww_append(hid_t set, hsize_t row, const void *data) {
	hsize_t dims[WW_MAX_RANK], start[WW_MAX_RANK] = {row};
	hid_t space = H5Dget_space(set);
	int rank = space < 0 ? -1 : H5Sget_simple_extent_dims(space, dims, NULL);
	if (space >= 0) H5Sclose(space);
	if (rank < 1) return -1;
	dims[0] = row + 1;
	if (failed(H5Dset_extent(set, dims) < 0)) return -1;
	dims[0] = 1;
	space = H5Dget_space(set);
	hid_t t = H5Dget_type(set), memory = H5Screate_simple(rank, dims, NULL);
	int bad = failed(space < 0 || t < 0 || memory < 0 || H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, dims, NULL) < 0 ||
	                 H5Dwrite(set, t, memory, space, H5P_DEFAULT, data) < 0);
	if (memory >= 0) H5Sclose(memory);
	if (t >= 0) H5Tclose(t);
	if (space >= 0) H5Sclose(space);
	return bad ? -1 : 0;
}

int ww_close_set(hid_t set) { return failed(H5Dclose(set) < 0) ? -1 : 0; }

int ww_table_flush(hid_t file) { return failed(H5Fflush(file, H5F_SCOPE_LOCAL) < 0) ? -1 : 0; }

int ww_table_close(hid_t file) { return failed(H5Fclose(file) < 0) ? -1 : 0; }

// Lets libhdf5 close a file that it cannot write: what it still wants to write goes to a file in memory. This also gives the
// space of a deleted file back, which an open descriptor would hold.
void ww_table_abandon(hid_t file) {
	void *descriptor = NULL;
	int memory = memfd_create("wwflow", MFD_CLOEXEC);
	if (memory >= 0) {
		if (H5Fget_vfd_handle(file, H5P_DEFAULT, &descriptor) >= 0 && descriptor) dup2(memory, *(int *)descriptor);
		close(memory);
	}
}
