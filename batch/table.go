package batch

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/wwflow/wwflow/encode"
	"github.com/wwflow/wwflow/internal/atomicfile"
	"github.com/wwflow/wwflow/internal/errkind"
	"github.com/wwflow/wwflow/internal/pathname"
	"github.com/wwflow/wwflow/parts"
	"github.com/wwflow/wwflow/pipeline"
	"github.com/wwflow/wwflow/stats"
)

// The table of Options.Stats is made of the journal, which has the numbers of each video. So it is complete after any number of
// calls. An entry with the state Table says that the file is the batch's own and may be replaced.

// tableName is the file of a part's table: with the part in its name, as the journals have it.
func tableName(path string, p parts.Part) string {
	if path == "" {
		return ""
	}
	extension := filepath.Ext(path)
	return strings.TrimSuffix(path, extension) + suffix(p) + extension
}

// checkTable finds what would make the table fail, before any work. tables are the paths of those that the batch may replace.
func checkTable(o Options, items []*item, tables map[string]bool) error {
	if o.Stats == "" {
		return nil
	}
	if _, err := stats.FormatOf(o.Stats); err != nil {
		return fmt.Errorf("%w: %w", pipeline.ErrOptions, err)
	}
	path, err := filepath.Abs(o.Stats)
	if err != nil {
		return err
	}
	if sameFile(filepath.Dir(path), o.Dir) && strings.HasPrefix(filepath.Base(path), "wwflow-batch") {
		return fmt.Errorf("%w: %s is a name of the batch's journals; choose another one for the statistics", pipeline.ErrOptions, o.Stats)
	}
	for _, it := range items {
		names := []string{it.input.Path, it.video.Output}
		for _, e := range it.video.Exports {
			names = append(names, e.Dir)
		}
		for _, name := range names {
			if absolute, _ := filepath.Abs(name); path == absolute || sameFile(path, name) {
				return fmt.Errorf("%w: %s is also an input or an output of the batch; choose another name for the statistics", pipeline.ErrOptions, o.Stats)
			}
		}
	}
	_, missing := os.Lstat(path)
	switch folder := filepath.Dir(o.Stats); {
	case !pathname.IsFolder(folder):
		err = fmt.Errorf("cannot write %s: the folder %s does not exist; create it first", o.Stats, folder)
	case pathname.IsFolder(o.Stats):
		err = fmt.Errorf("cannot write %s: it is a folder", o.Stats)
	case missing == nil && !o.Force && !tables[path]:
		err = fmt.Errorf("%s: %w", o.Stats, encode.ErrExists)
	}
	return errkind.Mark(pipeline.ErrOutput, err)
}

// claimTable records that the batch makes the table.
func (b *batch) claimTable() error {
	if b.Stats == "" {
		return nil
	}
	path, err := filepath.Abs(b.Stats)
	if err != nil {
		return err
	}
	return b.append(Entry{State: Table, Output: path})
}

// writeTable writes the table, which has a row for each video.
func (b *batch) writeTable(items []*item) error {
	if b.Stats == "" {
		return nil
	}
	rows := make([]stats.Row, 0, len(items))
	for _, it := range items {
		rows = append(rows, it.row())
	}
	format, err := stats.FormatOf(b.Stats)
	if err != nil {
		return err
	}
	err = atomicfile.WriteTo(b.Stats, func(w io.Writer) error { return stats.WriteRows(w, format, rows) })
	switch {
	case pipeline.Temporary(err):
		return temporary(err)
	case err != nil:
		return errkind.Mark(pipeline.ErrOutput, fmt.Errorf("cannot write the statistics: %w", err))
	}
	b.result.Stats = b.Stats
	return nil
}

// row is a video in the table, by its last entry.
func (it *item) row() stats.Row {
	r := stats.Row{Input: it.video.Input, Status: stats.Done, Video: it.last.Motion}
	if it.last.State == Failed {
		r.Status, r.Error = stats.Failed, it.last.Error
		if r.Video != nil {
			r.Status = stats.Partial
		}
	}
	return r
}
