package encode_test

import (
	"context"
	"io"
	"path/filepath"
	"testing"

	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/encode"
)

func TestSmoke(t *testing.T) {
	dir := "/tmp/enc"
	files, _ := filepath.Glob("../../shared/data/videos/*")
	for _, f := range files {
		r, err := decode.Open(context.Background(), f, decode.Options{Frames: 30})
		if err != nil {
			t.Error(err)
			continue
		}
		i := r.Info()
		w, err := encode.Create(context.Background(), filepath.Join(dir, filepath.Base(f)), encode.Options{Width: i.Width, Height: i.Height, TimeBase: i.TimeBase, FrameRate: i.FrameRate,
			SampleAspect: i.SampleAspect, CRF: -1, CopyFrom: f, Origin: i.StartTime, Force: true, EncoderOptions: map[string]string{"preset": "ultrafast", "bf": "3"}})
		if err != nil {
			t.Error(err)
			continue
		}
		for {
			fr, err := r.Read()
			if err == io.EOF {
				break
			}
			if err := w.Write(fr); err != nil {
				t.Error(err)
				break
			}
		}
		if err := w.Commit(); err != nil {
			t.Error(err)
		}
		t.Log(w.Notices())
		w.Close()
		r.Close()
	}
}
