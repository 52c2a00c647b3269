package parts

import (
	"context"

	"github.com/wwflow/wwflow/pipeline"
)

// run makes the images of a section.
func (o Options) run(ctx context.Context, v pipeline.Options, s pipeline.Section) (pipeline.Result, error) {
	if o.Retiming != nil {
		return pipeline.RetimeSection(ctx, v, *o.Retiming, s)
	}
	return pipeline.RunSection(ctx, v, s)
}

// unpaired is the number of frames at the end of the video without images of their own. A retimed video shows its last frame too.
func (o Options) unpaired() int {
	if o.Retiming != nil {
		return 0
	}
	return max(1, o.Video.Step)
}

// made is the number of images that were made between two frames.
func (m *manifest) made() (n int) {
	for _, s := range m.segments {
		n += s.New
	}
	return n
}
