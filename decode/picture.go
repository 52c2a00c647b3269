package decode

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/asticode/go-astiav"
)

// format is an image format.
type format struct {
	magic   string            // first bytes of a file; ? is any byte
	decoder string            // FFmpeg's name
	options map[string]string // of the decoder
}

var formats = []format{
	{"\x89PNG\r\n\x1a\n", "png", map[string]string{"err_detect": "crccheck+explode"}},
	{"\xff\xd8\xff", "mjpeg", map[string]string{"err_detect": "explode"}},
	{"II*\x00", "tiff", nil},
	{"MM\x00*", "tiff", nil},
	{"BM", "bmp", nil},
	{"RIFF????WEBP", "webp", nil},
	{"v/1\x01", "exr", map[string]string{"apply_trc": "iec61966_2_1"}},
	{"SDPX", "dpx", nil},
	{"XPDS", "dpx", nil},
	{"P6", "ppm", nil},
	{"P5", "pgm", nil},
}

// maxPixels limits the memory that a damaged header can claim.
const maxPixels = 1 << 28

// damageError reports a file that is not a complete image. All other errors concern the system.
type damageError struct {
	path string
	err  error
}

func (e *damageError) Error() string { return fmt.Sprintf("%s is damaged: %v", e.path, e.err) }
func (e *damageError) Unwrap() error { return e.err }

// decodePicture decodes an image file into raw, which is empty, and returns the name of FFmpeg's decoder. JPEG
// orientation (EXIF) becomes the display matrix of raw.
func decodePicture(path string, threads int, raw *astiav.Frame) (name string, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(formats, func(f format) bool { return matches(data, f.magic) })
	if i < 0 {
		return "", &damageError{path, errors.New("unknown image format")}
	}
	name = formats[i].decoder
	decoder, err := openPictureDecoder(formats[i], threads)
	if err != nil {
		return "", fmt.Errorf("cannot decode %s: %w", path, err)
	}
	defer decoder.Free()
	packet := astiav.AllocPacket()
	if packet == nil {
		return "", errors.New("out of memory")
	}
	defer packet.Free()
	// Decoders may read past the end of a packet by so many bytes (AV_INPUT_BUFFER_PADDING_SIZE).
	if err := packet.FromData(append(data, make([]byte, 64)...)); err != nil {
		return "", err
	}
	packet.SetSize(len(data))
	if err := decoder.SendPacket(packet); err != nil {
		return "", &damageError{path, err}
	}
	if err := decoder.ReceiveFrame(raw); err != nil {
		return "", &damageError{path, err}
	}
	return name, nil
}

func openPictureDecoder(f format, threads int) (*astiav.CodecContext, error) {
	codec := astiav.FindDecoderByName(f.decoder)
	if codec == nil {
		return nil, fmt.Errorf("this FFmpeg was built without the decoder %q; convert the images to PNG", f.decoder)
	}
	options := astiav.NewDictionary()
	defer options.Free()
	if err := options.Set("max_pixels", fmt.Sprint(maxPixels), 0); err != nil {
		return nil, err
	}
	for key, value := range f.options {
		if err := options.Set(key, value, 0); err != nil {
			return nil, err
		}
	}
	decoder := astiav.AllocCodecContext(codec)
	if decoder == nil {
		return nil, errors.New("out of memory")
	}
	decoder.SetThreadCount(threads)
	decoder.SetThreadType(astiav.ThreadTypeSlice) // frame threads would delay the picture
	if err := decoder.Open(codec, options); err != nil {
		decoder.Free()
		return nil, err
	}
	return decoder, nil
}

func matches(data []byte, magic string) bool {
	if len(data) < len(magic) {
		return false
	}
	for i := range len(magic) {
		if magic[i] != '?' && data[i] != magic[i] {
			return false
		}
	}
	return true
}
