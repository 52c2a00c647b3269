package parts

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/wwflow/wwflow/pipeline"
)

// Part is one of several shares of a work, for a process of its own. Zero is the whole work.
type Part struct {
	Number int `json:"number"` // from 1
	Of     int `json:"of"`
}

// ParsePart reads K/N, or "auto", which takes both from a Slurm job array, or "auto/N", which takes K from a Slurm job array or
// from a Kubernetes Indexed Job.
func ParsePart(s string) (p Part, err error) {
	if rest, isAuto := strings.CutPrefix(s, "auto"); isAuto && (rest == "" || rest[0] == '/') {
		return automatic(strings.TrimPrefix(rest, "/"))
	}
	number, of, _ := strings.Cut(s, "/")
	p.Number, err = strconv.Atoi(number)
	if err == nil {
		p.Of, err = strconv.Atoi(of)
	}
	if err != nil {
		return Part{}, fmt.Errorf("%w: part %q is not K/N, such as 2/8, or auto", pipeline.ErrOptions, s)
	}
	return p, p.Check()
}

// automatic returns the part of this task of a job array. of is the number of parts, "" where the scheduler tells.
func automatic(of string) (Part, error) {
	get := func(name string) (int, bool) {
		n, err := strconv.Atoi(os.Getenv(name))
		return n, err == nil
	}
	var p Part
	count, counted := get("SLURM_ARRAY_TASK_COUNT")
	if id, ok := get("SLURM_ARRAY_TASK_ID"); ok {
		lowest, _ := get("SLURM_ARRAY_TASK_MIN")
		p.Number = id - lowest + 1
		if highest, ok := get("SLURM_ARRAY_TASK_MAX"); ok && counted && of == "" && highest-lowest+1 != count {
			return Part{}, fmt.Errorf("%w: --part auto: the array has %d tasks with numbers from %d to %d; give it the numbers 1-N, or use --part auto/N",
				pipeline.ErrOptions, count, lowest, highest)
		}
	} else if index, ok := get("JOB_COMPLETION_INDEX"); ok {
		p.Number, counted = index+1, false
	} else {
		return Part{}, fmt.Errorf("%w: --part auto: neither SLURM_ARRAY_TASK_ID nor JOB_COMPLETION_INDEX is set; use --part K/N", pipeline.ErrOptions)
	}
	switch n, err := strconv.Atoi(of); {
	case of != "" && err != nil:
		return Part{}, fmt.Errorf("%w: part %q is not auto/N, such as auto/8", pipeline.ErrOptions, "auto/"+of)
	case of != "":
		p.Of = n
	case counted:
		p.Of = count
	default:
		return Part{}, fmt.Errorf("%w: --part auto: the number of parts is not known here; use --part auto/N, with the number of completions of the job", pipeline.ErrOptions)
	}
	return p, p.Check()
}

// Check returns an ErrOptions for a part that does not exist.
func (p Part) Check() error {
	if p != (Part{}) && (p.Of < 1 || p.Number < 1 || p.Number > p.Of) {
		return fmt.Errorf("%w: part %d/%d: K is 1 to N", pipeline.ErrOptions, p.Number, p.Of)
	}
	return nil
}

// Name is the part in file names, such as 2-of-8.
func (p Part) Name() string { return fmt.Sprintf("%d-of-%d", p.Number, p.Of) }

// share returns the share of the part in n things: those from first up to, but not including, end.
func (p Part) share(n int) (first, end int) {
	return n * (p.Number - 1) / p.Of, n * p.Number / p.Of
}
