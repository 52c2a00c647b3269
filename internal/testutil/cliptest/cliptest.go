// Package cliptest writes and reads whole videos in tests.
package cliptest

import (
	"context"
	"io"
	"testing"

	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/encode"
	"github.com/wwflow/wwflow/frame"
)

// Write writes frames as a video, or as images where the path ends with a slash. The size and the time base are those of the first frame.
func Write(t testing.TB, path string, o encode.Options, frames ...*frame.Frame) {
	t.Helper()
	o.Width, o.Height, o.TimeBase = frames[0].Width, frames[0].Height, frames[0].TimeBase
	out, err := encode.Create(context.Background(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	for _, f := range frames {
		if err := out.Write(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.Commit(); err != nil {
		t.Fatal(err)
	}
}

// Read returns all frames of a video or a folder of images that the options select.
func Read(t testing.TB, path string, o decode.Options) ([]*frame.Frame, decode.Info) {
	t.Helper()
	in, err := decode.Open(context.Background(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	var frames []*frame.Frame
	for {
		f, err := in.Read()
		if err == io.EOF {
			return frames, in.Info()
		}
		if err != nil {
			t.Fatal(err)
		}
		frames = append(frames, f)
	}
}
