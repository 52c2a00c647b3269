package stats

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// ErrVideos is returned by ReadPairs for a table of videos.
var ErrVideos = errors.New("it has a row for each video, not the pairs of one")

// ReadPairs reads what a PairWriter wrote.
func ReadPairs(r io.Reader, format Format) ([]Pair, error) {
	switch format {
	case CSV:
		return readCSV(r)
	case JSON:
		var file struct {
			Pairs  []Pair            `json:"pairs"`
			Videos []json.RawMessage `json:"videos"`
		}
		if err := json.NewDecoder(r).Decode(&file); err != nil {
			return nil, err
		}
		if file.Videos != nil {
			return nil, ErrVideos
		}
		return file.Pairs, nil
	}
	return readLines(r)
}

func readLines(r io.Reader) (pairs []Pair, err error) {
	for d := json.NewDecoder(r); ; {
		line := struct {
			Pair
			Input *string `json:"input"`
			Frame *int    `json:"frame"`
		}{}
		switch err := d.Decode(&line); {
		case err == io.EOF:
			return pairs, nil
		case err != nil:
			return nil, fmt.Errorf("row %d: %w", len(pairs)+1, err)
		case line.Input != nil:
			return nil, ErrVideos
		case line.Frame == nil:
			return nil, fmt.Errorf("row %d has no frame", len(pairs)+1)
		}
		line.Pair.Frame = *line.Frame
		pairs = append(pairs, line.Pair)
	}
}

func readCSV(r io.Reader) ([]Pair, error) {
	rows, err := csv.NewReader(r).ReadAll()
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 || len(rows[0]) == 0 {
		return nil, errors.New("it is empty")
	}
	if rows[0][0] == rowColumns[0].name {
		return nil, ErrVideos
	}
	place := map[string]int{}
	for i, name := range rows[0] {
		place[name] = i
	}
	for _, c := range pairColumns {
		if _, ok := place[c.name]; !ok {
			return nil, fmt.Errorf("it has no column %s", c.name)
		}
	}
	pairs := make([]Pair, len(rows)-1)
	for i, cells := range rows[1:] {
		row := csvRow{cells: cells, place: place}
		if pairs[i] = row.pair(); row.err != nil {
			return nil, fmt.Errorf("row %d: %w", i+1, row.err)
		}
	}
	return pairs, nil
}

// csvRow reads the cells of a row. After an error it returns zeros.
type csvRow struct {
	cells []string
	place map[string]int
	err   error
}

func (r *csvRow) has(name string) bool { return r.cells[r.place[name]] != "" }

func (r *csvRow) number(name string) float64 {
	x, err := strconv.ParseFloat(r.cells[r.place[name]], 64)
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("column %s: %w", name, err)
	}
	return x
}

func (r *csvRow) pair() Pair {
	p := Pair{Frame: int(r.number("frame")), Time: r.number("time_s"), Interval: r.number("interval_s"), Known: r.number("known"), Cut: r.cells[r.place["cut"]] == "true"}
	if !r.has("mean_px") {
		return p
	}
	m := &Motion{Length: r.lengths("px"), Relative: r.lengths("share"), Score: r.number("score"), Moving: r.number("moving")}
	for i := range m.Directions {
		m.Directions[i] = r.number(fmt.Sprintf("d%02d", i))
	}
	if r.has("direction_deg") {
		m.Direction = &Dominant{r.number("direction_deg"), r.number("direction_share")}
	}
	if r.has("pan_px") {
		m.Camera = &Camera{r.number("pan_px"), r.number("tilt_px"), r.number("zoom"), r.number("roll_deg"), r.number("follow"), r.number("residual_px"), r.number("objects_px")}
	}
	if r.has("confidence") {
		m.Confidence = new(r.number("confidence"))
	}
	p.Motion = m
	return p
}

func (r *csvRow) lengths(unit string) Lengths {
	return Lengths{r.number("mean_" + unit), r.number("median_" + unit), r.number("p90_" + unit), r.number("p95_" + unit), r.number("p99_" + unit)}
}
