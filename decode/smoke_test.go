package decode

import (
	"context"
	"io"
	"path/filepath"
	"testing"
)

func TestSmoke(t *testing.T) {
	files, _ := filepath.Glob("../../shared/data/videos/*")
	for _, f := range files {
		r, err := Open(context.Background(), f, Options{})
		if err != nil {
			t.Error(err)
			continue
		}
		n := 0
		for {
			_, err := r.Read()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Error(err)
				break
			}
			n++
		}
		t.Logf("%d frames, %d corrupt, %+v", n, r.Corrupt(), r.Info())
		r.Close()
	}
}
