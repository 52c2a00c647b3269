package stats

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"strconv"
)

// Status says how far the numbers of a video can be relied on.
type Status string

const (
	Done    Status = "done"
	Partial Status = "partial" // the end is missing: Row.Error says why
	Failed  Status = "failed"  // there are no numbers: Row.Error says why
)

// Row is a video in a table of many.
type Row struct {
	Input  string `json:"input"`
	Status Status `json:"status"`
	Error  string `json:"error,omitempty"`
	*Video        // nil, and absent in JSON, where there are no numbers
}

// WriteRows writes a table of videos.
func WriteRows(w io.Writer, format Format, rows []Row) error {
	switch format {
	case CSV:
		table := csv.NewWriter(w)
		_ = table.Write(rowColumns.header()) // Error has what fails
		for _, r := range rows {
			_ = table.Write(rowColumns.row(r))
		}
		table.Flush()
		return table.Error()
	case JSON:
		e := json.NewEncoder(w)
		e.SetIndent("", " ")
		return e.Encode(struct {
			Videos []Row `json:"videos"`
		}{rows})
	}
	e := json.NewEncoder(w)
	for _, r := range rows {
		if err := e.Encode(r); err != nil {
			return err
		}
	}
	return nil
}

var rowColumns = append(append(columns[Row]{
	{"input", func(r Row) string { return r.Input }},
	{"status", func(r Row) string { return string(r.Status) }},
	{"error", func(r Row) string { return r.Error }},
}, videoColumns()...), motionColumns(func(r Row) *Motion {
	if r.Video == nil {
		return nil
	}
	return r.Motion
})...)

// videoColumns are the columns that a video has besides those of its motion.
func videoColumns() (list columns[Row]) {
	add := func(name string, cell func(*Video) string) {
		list = append(list, column[Row]{name, func(r Row) string {
			if r.Video == nil {
				return ""
			}
			return cell(r.Video)
		}})
	}
	add("class", func(v *Video) string { return string(v.Class) })
	add("pairs", func(v *Video) string { return strconv.Itoa(v.Pairs) })
	add("measured", func(v *Video) string { return strconv.Itoa(v.Measured) })
	add("cuts", func(v *Video) string { return strconv.Itoa(v.Cuts) })
	add("seconds", func(v *Video) string { return number(v.Seconds) })
	add("camera_travel_px", func(v *Video) string { return number(v.Travel) })
	peak := func(name string, of func(*Peak) string) {
		add(name, func(v *Video) string {
			if v.Peak == nil {
				return ""
			}
			return of(v.Peak)
		})
	}
	peak("peak_frame", func(p *Peak) string { return strconv.Itoa(p.Frame) })
	peak("peak_time_s", func(p *Peak) string { return number(p.Time) })
	peak("peak_score", func(p *Peak) string { return number(p.Score) })
	return list
}
