package main

import (
	"errors"
	"math"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

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

// checkMemory is flow's own check on each device, and one more for those that share the machine's memory.
func (n networks) checkMemory(width, height int) error {
	var shared int64
	for _, one := range n {
		if err := one.model.CheckMemory(width, height); err != nil {
			return err
		}
		if one.model.Device().Kind == flow.CPU {
			shared += one.model.Memory(width, height)
		}
	}
	available, err := flow.AvailableMemory()
	if err != nil || shared <= available {
		return nil // where the memory can't be read nothing is predicted
	}
	e := &flow.MemoryError{Width: width, Height: height, Need: shared, Available: available}
	for percent := 99; percent > 0 && e.Scale == 0; percent-- {
		scale := float64(percent) / 100
		need := int64(0)
		for _, one := range n {
			if one.model.Device().Kind == flow.CPU {
				need += one.model.Memory(max(1, int(math.Round(float64(width)*scale))), max(1, int(math.Round(float64(height)*scale))))
			}
		}
		if need <= available {
			e.Scale = scale
		}
	}
	return e
}

// name is the network's, memory what it takes on all its devices in bytes, 0 where that is not known.
func (n networks) name() string { return n[0].model.Card().Name }
func (n networks) memory(width, height int) (bytes int64) {
	for _, one := range n {
		bytes += one.model.Memory(width, height)
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
