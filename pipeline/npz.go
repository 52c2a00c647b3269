package pipeline

import (
	"archive/zip"
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/flowfile"
	"github.com/wwflow/wwflow/internal/atomicfile"
)

// NPZ and NPZ16 are the formats of an Export that have one file for the whole video, flow.npz, for feature loaders in Python: NumPy's
// archive of arrays, not compressed. NumPy reads an array when it is asked for, so the file may be larger than the memory.
//
//	flow_000012   height x width x 2, float32 or (NPZ16) float16: the flow of frame 12; unknown flow is NaN
//	frames        int64: the numbers of the frames
//	times         float64: their presentation times in seconds
//	units         "pixels"
//
// Float16 has steps of 1/1024 of the length, such as 0.03 pixels at 50 pixels.
const (
	NPZ   flowfile.Format = "npz"
	NPZ16 flowfile.Format = "npz16"
)

// npzFile is an archive that is being written.
type npzFile struct {
	file   *atomicfile.File
	buffer *bufio.Writer
	zip    *zip.Writer
	half   bool
	frames []int64
	times  []float64
}

func createNPZ(path string, half bool) (*npzFile, error) {
	file, err := atomicfile.Create(path, true)
	if err != nil {
		return nil, err
	}
	buffer := bufio.NewWriterSize(file, 1<<18)
	return &npzFile{file: file, buffer: buffer, zip: zip.NewWriter(buffer), half: half}, nil
}

// add writes the array of a field.
func (n *npzFile) add(f *field.Field) error {
	kind := "<f4"
	if n.half {
		kind = "<f2"
	}
	first := f.Pair.First
	n.frames, n.times = append(n.frames, int64(first.Index)), append(n.times, first.Time().Seconds())
	return n.array(fmt.Sprintf("flow_%06d", first.Index), kind, fmt.Sprintf("%d, %d, 2", f.Height, f.Width), vectorBytes(f, n.half))
}

// array writes an array in the form of .npy. shape is what is between the parentheses of a Python tuple.
func (n *npzFile) array(name, kind, shape string, data []byte) error {
	text := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", kind, shape)
	// A line feed ends the header, and the array starts at a multiple of 64 bytes.
	text += strings.Repeat(" ", 63-(10+len(text))%64) + "\n"
	w, err := n.zip.CreateHeader(&zip.FileHeader{Name: name + ".npy", Method: zip.Store})
	if err != nil {
		return err
	}
	head := binary.LittleEndian.AppendUint16([]byte("\x93NUMPY\x01\x00"), uint16(len(text)))
	if _, err := w.Write(append(head, text...)); err != nil {
		return err
	}
	_, err = w.Write(data)
	return err
}

// commit writes the arrays about all fields, and gives the file its name.
func (n *npzFile) commit() error {
	var frames, times, units []byte
	for i := range n.frames {
		frames = binary.LittleEndian.AppendUint64(frames, uint64(n.frames[i]))
		times = binary.LittleEndian.AppendUint64(times, math.Float64bits(n.times[i]))
	}
	const unit = "pixels"
	for _, c := range unit {
		units = binary.LittleEndian.AppendUint32(units, uint32(c))
	}
	shape := fmt.Sprintf("%d,", len(n.frames))
	err := errors.Join(n.array("frames", "<i8", shape, frames), n.array("times", "<f8", shape, times),
		n.array("units", fmt.Sprintf("<U%d", len(unit)), "", units), n.zip.Close(), n.buffer.Flush())
	if err != nil {
		return err
	}
	return n.file.Commit()
}

func (n *npzFile) close() error { return n.file.Close() }
