package evaluate

import (
	"fmt"
	"strings"
)

// OptionError is the error for an option that has an invalid value or does not apply.
type OptionError struct{ message string }

func (e *OptionError) Error() string { return e.message }

// BadOption returns an OptionError with a formatted message.
func BadOption(format string, args ...any) error {
	return &OptionError{fmt.Sprintf(format, args...)}
}

// Choose returns the values that an option selects: all of them if it is empty or equal to every, else the one named.
func Choose(option, value, every string, all ...string) ([]string, error) {
	if value == "" || value == every {
		return all, nil
	}
	for _, v := range all {
		if v == value {
			return []string{v}, nil
		}
	}
	return nil, BadOption("%s %q: give %s or %s", option, value, strings.Join(all, ", "), every)
}

// CheckSource returns an error unless the flow comes from either files or an Estimator.
func CheckSource(flowDir string, estimate Estimator) error {
	if (flowDir == "") == (estimate == nil) {
		return BadOption("give either a folder of flow files or an estimator")
	}
	return nil
}
