package main

import (
	"errors"
	"math"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/flow"
)

// networks are one network on one device or on several, for a video whose pairs they share.
type networks []*network

// openNetworks opens the network on each device of --device, a list with commas.
func openNetworks(c *cli.Context) (n networks, err error) {
	devices := strings.Split(c.String("device"), ",")
	if len(devices) > 1 {
		for _, d := range devices {
			if d == "" || d == string(flow.Auto) {
				return nil, usagef("--device %s: a list names each device, such as cuda:0,cuda:1", c.String("device"))
			}
		}
	}
	for _, d := range devices {
		one, err := openNetworkOn(c, d)
		if err != nil {
			return nil, errors.Join(err, n.Close())
		}
		n = append(n, one)
	}
	return n, nil
}

// checkMemory is flow's, for a video whose frames --scale has made the size they have. What it advises is of the input's
// size, as the flag is.
func (n networks) checkMemory(video decode.Info, step int, scale float64) error {
	models := make([]*flow.Model, len(n))
	for i, one := range n {
		models[i] = one.model
	}
	err := flow.CheckMemory(models, video.Width, video.Height, keptFor(step, video))
	var e *flow.MemoryError
	if errors.As(err, &e) {
		e.Scale = math.Floor(100*scale*e.Scale) / 100
	}
	return err
}

// keptFor is how many frames' features are kept beside a pair's: with --step K each frame is kept until the one K before it
// has been the first of a pair.
func keptFor(step int, video decode.Info) int {
	if video.FramesExact {
		step = min(step, video.Frames-step)
	}
	return max(0, step-1)
}

// name is the network's, memory what it takes on all its devices in bytes, 0 where that is not known.
func (n networks) name() string { return n[0].model.Card().Name }
func (n networks) memory(video decode.Info, step int) (bytes int64) {
	for _, one := range n {
		bytes += one.model.Memory(video.Width, video.Height, keptFor(step, video))
	}
	return bytes
}

// precision is what it computes in: that of the first device, and of the others where they differ.
func (n networks) precision() string {
	var list []string
	for _, one := range n {
		if p := string(one.model.Precision()); !slices.Contains(list, p) {
			list = append(list, p)
		}
	}
	return strings.Join(list, ", ")
}

// devices names where it runs: "cuda, cuda:1".
func (n networks) devices() string {
	list := make([]string, len(n))
	for i, one := range n {
		list[i] = one.model.Device().String()
	}
	return strings.Join(list, ", ")
}

// Close frees all of them.
func (n networks) Close() error {
	var errs []error
	for _, one := range n {
		errs = append(errs, one.Close())
	}
	return errors.Join(errs...)
}
