package pipeline_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/encode"
	"github.com/wwflow/wwflow/pipeline"
	"github.com/wwflow/wwflow/visualize"
)

// A video to its flow video.
func ExampleRun() {
	folder, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	result, err := pipeline.Run(context.Background(), pipeline.Options{
		Input:  "../testdata/clips/square-walkers.mp4",
		Output: filepath.Join(folder, "flow.mp4"),
		Decode: decode.Options{Frames: 4, Scale: 0.25},
		Paint:  visualize.Options{Style: visualize.SideBySide},
		Encode: encode.Options{CRF: -1},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.Frames, "images of flow from", result.Read, "frames")
	// Output: 3 images of flow from 4 frames
}

// The flow fields of a video, one after another.
func ExampleFields() {
	options := pipeline.Options{Decode: decode.Options{Frames: 4, Scale: 0.25}}
	for f, err := range pipeline.Fields(context.Background(), "../testdata/clips/square-walkers.mp4", options) {
		if err != nil {
			log.Fatal(err)
		}
		first := f.Pair.First
		fmt.Printf("frame %d at %v: %dx%d, %d vectors\n", first.Index, first.Time(), f.Width, f.Height, len(f.Vectors)/2)
	}
	// Output:
	// frame 0 at 0s: 192x144, 27648 vectors
	// frame 1 at 100ms: 192x144, 27648 vectors
	// frame 2 at 200ms: 192x144, 27648 vectors
}
