package pipeline

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/wwflow/wwflow/consistency"
	"github.com/wwflow/wwflow/flow"
	"github.com/wwflow/wwflow/visualize"
)

// Describe returns the options that change an output, by the names of the command line, without those that have their
// default. The device and the number of threads are not among them: they do not change the flow. card is that of the network.
func (o Options) Describe(card flow.Card) map[string]string {
	n := o.Network
	m := map[string]string{"network": strings.TrimSpace(card.Name + " " + card.Version)}
	set := func(name string, value any, isDefault bool) {
		if !isDefault {
			m[name] = fmt.Sprint(value)
		}
	}
	set("precision", n.Precision, n.Precision == "" || n.Precision == string(flow.AutoPrecision))
	set("detail", n.Detail, n.Detail == 0 || n.Detail == 1)
	set("step", o.Step, o.Step <= 1)
	set("backward", o.Backward, !o.Backward)
	set("cuts", o.Cuts, !o.Cuts)
	set("both", o.Both, !o.Both)
	set("drop-occluded", o.DropOccluded, !o.DropOccluded)
	set("consistency", o.Consistency, o.Consistency == consistency.Thresholds{})
	set("min-confidence", o.MinConfidence, o.MinConfidence == 0)
	set("start", o.Decode.Start, o.Decode.Start == 0)
	set("duration", o.Decode.Duration, o.Decode.Duration == 0)
	set("frames", o.Decode.Frames, o.Decode.Frames == 0)
	set("scale", o.Decode.Scale, o.Decode.Scale == 0 || o.Decode.Scale == 1)
	set("rate", o.Decode.FrameRate, o.Decode.FrameRate.IsZero())
	set("style", o.Paint.Style, o.Paint.Style == "" || o.Paint.Style == visualize.Flow)
	set("max-flow", o.Paint.MaxFlow, o.Paint.MaxFlow == 0)
	set("legend", o.Paint.Legend, !o.Paint.Legend)
	set("gray", o.Paint.Gray, !o.Paint.Gray)
	set("codec", o.Encode.Codec, o.Encode.Codec == "")
	if o.Encode.CRF != nil {
		m["crf"] = fmt.Sprint(*o.Encode.CRF)
	}
	set("hwaccel", o.Encode.Hardware, o.Encode.Hardware == "" || o.Encode.Hardware == "none")
	for _, key := range slices.Sorted(maps.Keys(o.Encode.EncoderOptions)) {
		m["encoder-opt "+key] = o.Encode.EncoderOptions[key]
	}
	var formats []string
	for _, e := range o.Exports {
		formats = append(formats, string(e.Format))
		set("for", e.For, e.For == "")
		set("bound", e.Bound, e.Bound == 0 || e.Format != JPEG)
	}
	set("export", strings.Join(formats, ", "), len(formats) == 0)
	return m
}
