// Package parts makes the flow video of one video, or a retimed one, in pieces that are complete on disk: to continue after a stop
// (Resume), and to share the work between machines (Compute and Join).
//
// A segment is a run of pairs whose images are in a video file of their own. A part is a share of a video's pairs for one
// process, and consists of segments. Resume is the only part of its video. Files in the folder of the parts:
//
//	part-2-of-8.jsonl         the manifest of a part: one record per line, only appended to
//	part-2-of-8.lock          locked (flock) by the process that works on the part, whose process ID it holds
//	part-2-of-8-000120.mp4    a segment, by the number of its first pair
//
// A manifest begins with a Header, which says from what the part was made. A record of a segment follows once its file is
// complete. What has no record is computed again.
//
// The network, the decoder and the encoder work as in pipeline.Run, without a stop between segments. The colour scale comes from
// sample pairs that are spread over the whole video, or from the manifest, so that all segments have the same.
package parts

import (
	"errors"
	"maps"
	"path/filepath"
	"time"

	"github.com/wwflow/wwflow/flow"
	"github.com/wwflow/wwflow/internal/errkind"
	"github.com/wwflow/wwflow/pipeline"
)

// Options says what to do.
type Options struct {
	// Video is what pipeline.Run would do. Output is a video file; for Compute its extension alone counts: it chooses the codec.
	// Networks are used where they are set, and stay open.
	Video pipeline.Options

	Retiming *pipeline.Retiming // of Resume: make what pipeline.Retime would do with it, instead of a flow video; nil = a flow video

	Segment int             // pairs in a segment; 0 = what is done in a minute, and at most 500
	Stop    <-chan struct{} // closed: finish the pairs that are begun, close the segment, and return pipeline.ErrStopped
	Version string          // of the program, for the manifest

	// Keep refuses work that was begun from another input, with other options or another network, although Video.Encode.Force is set,
	// which then means only that an existing output is replaced.
	Keep bool

	Dir  string // of Compute: the folder of the parts
	Part Part   // of Compute

	// Continued is called before the work begins if some of it is done.
	Continued func(Continued)
}

// Continued is what is left of an earlier call.
type Continued struct {
	Done     int      `json:"frames_done"` // images that need not be made again
	Of       int      `json:"frames,omitempty"`
	Problems []string `json:"problems,omitempty"` // segments that have to be made again, and why
}

// Errors, besides those of packages pipeline and encode.
var (
	// ErrChanged says that an earlier call had another input, other options or another network.
	ErrChanged = errors.New("changed since the work was begun")

	// ErrIncomplete says that Join lacks parts.
	ErrIncomplete = errors.New("parts are missing")

	// ErrUnequal says that parts do not come from one input with one set of options.
	ErrUnequal = errors.New("the parts do not belong together")
)

// Limits of a segment where Options.Segment is 0.
const (
	segmentTime  = time.Minute
	segmentPairs = 500
)

// folderSuffix is appended to the name of an output for the folder of its segments.
const folderSuffix = ".parts"

// Folder is where Resume keeps the segments of an output.
func Folder(output string) string { return filepath.Clean(output) + folderSuffix }

// fileOf returns the path of a file of a part.
func fileOf(dir string, p Part, suffix string) string {
	return filepath.Join(dir, "part-"+p.Name()+suffix)
}

// describe returns the header of the work.
func describe(o Options, p Part) (*Header, error) {
	card, err := flow.ReadCard(o.Video.Network.ModelDir)
	if err != nil {
		return nil, err
	}
	h := &Header{Format: manifestFormat, Program: o.Version, Part: p, Options: o.Video.Describe(card)}
	if o.Retiming != nil {
		maps.Copy(h.Options, o.Retiming.Describe())
	}
	if h.Network, err = flow.Fingerprint(o.Video.Network.ModelDir); err != nil {
		return nil, err
	}
	if h.Input, err = identify(o.Video.Input); err != nil {
		return nil, errkind.Mark(pipeline.ErrInput, err)
	}
	return h, nil
}
