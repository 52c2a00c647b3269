package main

import (
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/wwflow/wwflow/frame"
)

// hwaccels are what --hwaccel may be; the first one is its default.
var hwaccels = []string{"none", "auto", "cuda", "vaapi"}

func hwaccelFlag() cli.Flag {
	return &cli.StringFlag{Name: "hwaccel", Value: hwaccels[0], Usage: textHwaccel}
}

func hwaccel(c *cli.Context) (string, error) {
	s := c.String("hwaccel")
	if !slices.Contains(hwaccels, s) {
		return "", usagef("--hwaccel is one of %s, not %q", strings.Join(hwaccels, ", "), s)
	}
	return s, nil
}

// parseTime reads seconds (12.5), minutes or hours (1:30, 0:01:30) or what Go calls a duration (500ms); "" is 0.
func parseTime(s string) (time.Duration, error) {
	if s == "" {
		return 0, nil
	}
	if d, err := time.ParseDuration(s); err == nil && d >= 0 {
		return d, nil
	}
	total := 0.0
	for part := range strings.SplitSeq(s, ":") {
		x, err := strconv.ParseFloat(part, 64)
		if err != nil || !(x >= 0) || x > 1e9 {
			return 0, fmt.Errorf("%q is no time", s)
		}
		total = 60*total + x
	}
	if total > 1e9 {
		return 0, fmt.Errorf("%q is too long", s)
	}
	return time.Duration(total * float64(time.Second)), nil
}

// parseRate reads 25, 29.97 or 30000/1001; "" is zero, unknown.
func parseRate(s string) (frame.Rational, error) {
	if s == "" {
		return frame.Rational{}, nil
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok || r.Sign() <= 0 || !r.Num().IsInt64() || !r.Denom().IsInt64() || r.Num().Int64() > 1e6 || r.Denom().Int64() > 1e6 {
		return frame.Rational{}, usagef("--rate is a number such as 25 or 30000/1001, not %q", s)
	}
	return frame.Rational{Num: int(r.Num().Int64()), Den: int(r.Denom().Int64())}, nil
}

func keyValues(list []string) (map[string]string, error) {
	m := map[string]string{}
	for _, s := range list {
		key, value, ok := strings.Cut(s, "=")
		if !ok || key == "" {
			return nil, usagef("--encoder-opt takes KEY=VALUE, not %q", s)
		}
		m[key] = value
	}
	return m, nil
}
