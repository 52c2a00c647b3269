package pipeline

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"github.com/wwflow/wwflow/encode"
	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/internal/atomicfile"
	"github.com/wwflow/wwflow/internal/errkind"
	"github.com/wwflow/wwflow/internal/pathname"
	"github.com/wwflow/wwflow/pairing"
	"github.com/wwflow/wwflow/stats"
)

// Statistics measures the motion of a video: Run without painting and encoding. Result.Motion has the numbers of the video;
// with Options.Stats those of its pairs are written to a file. Result.Frames is the number of pairs. The network does not see
// pairs across a cut. Options.Output, Paint, Encode (but for Force) and Exports are not used.
//
// The errors are those of Run. Where the resolution changes, there are both a Result, for the pairs up to there, and an error.
func Statistics(ctx context.Context, o Options) (Result, error) {
	o.Cuts, o.Exports = true, nil
	r, err := open(ctx, o, Options.checkStats)
	if err != nil {
		return Result{}, err
	}
	defer r.close()
	if r.motion, err = newMotionMeter(r.Stats, r.Encode.Force); err != nil {
		return Result{}, errkind.Mark(ErrOutput, err)
	}
	defer r.motion.close()
	if r.Events.Started != nil {
		r.Events.Started(r.work())
	}
	var result Result
	var failed error
	result.Read, err = r.fields(r.frames, func(f *field.Field, _ error) bool {
		if failed = r.motion.measure(f); failed != nil {
			return false
		}
		result.Frames++
		if r.Events.Written != nil {
			r.Events.Written(result.Frames, r.total())
		}
		return true
	})
	if failed != nil {
		return Result{}, errkind.Mark(ErrOutput, failed)
	}
	if err != nil && result.Frames == 0 || r.group.ctx.Err() != nil {
		return Result{}, err
	}
	result.Damaged, result.DamagedFrames = r.in.Corrupt(), r.in.Damaged()
	result.Cuts, result.Gaps = r.tally.cuts, slices.Sorted(slices.Values(r.tally.gaps))
	result.Unconfident = r.tally.mean(r.tally.low)
	if finished := r.finishStatistics(&result); err == nil {
		err = finished
	}
	result.Seconds = time.Since(r.begin).Seconds()
	return result, err
}

// finishStatistics gives the result the numbers of the video, and the file its name. It does nothing without statistics.
func (r *run) finishStatistics(result *Result) error {
	if r.motion == nil {
		return nil
	}
	v := r.motion.summary.Video()
	result.Motion = &v
	return errkind.Mark(ErrOutput, r.motion.commit(v))
}

// checkStats finds what would make the file of the statistics fail.
func (o Options) checkStats() error {
	if o.Stats == "" {
		return nil
	}
	if _, err := stats.FormatOf(o.Stats); err != nil {
		return fmt.Errorf("%w: %w", ErrOptions, err)
	}
	if o.Stats == o.Output || sameFile(o.Input, o.Stats) {
		return fmt.Errorf("%w: %s", ErrSame, o.Stats)
	}
	folder := filepath.Dir(o.Stats)
	if !pathname.IsFolder(folder) {
		return fmt.Errorf("cannot write %s: the folder %s does not exist; create it first", o.Stats, folder)
	}
	if err := checkWritable(folder); err != nil {
		return fmt.Errorf("cannot write %s: %w", o.Stats, err)
	}
	if pathname.IsFolder(o.Stats) {
		return fmt.Errorf("cannot write %s: it is a folder", o.Stats)
	}
	if exists(o.Stats) && !o.Encode.Force {
		return fmt.Errorf("%s: %w", o.Stats, encode.ErrExists)
	}
	return nil
}

// motionMeter measures fields in their order, and writes their numbers to a file. The methods of nil do nothing.
type motionMeter struct {
	summary stats.Summary
	file    *atomicfile.File // nil for none
	buffer  *bufio.Writer
	rows    *stats.PairWriter
}

// newMotionMeter creates the file; path "" = none.
func newMotionMeter(path string, replace bool) (*motionMeter, error) {
	m := &motionMeter{}
	if path == "" {
		return m, nil
	}
	format, err := stats.FormatOf(path)
	if err != nil {
		return nil, err
	}
	if m.file, err = atomicfile.Create(path, replace); err != nil {
		return nil, err
	}
	m.buffer = bufio.NewWriter(m.file)
	m.rows = stats.NewPairWriter(m.buffer, format)
	return m, nil
}

func (m *motionMeter) measure(f *field.Field) error {
	if m == nil {
		return nil
	}
	p := stats.Measure(f, pairing.CutScore(f.Pair) > pairing.CutThreshold)
	m.summary.Add(p)
	if m.rows == nil {
		return nil
	}
	return m.rows.Add(p)
}

// commit ends the file and gives it its name.
func (m *motionMeter) commit(v stats.Video) error {
	if m.file == nil {
		return nil
	}
	if err := errors.Join(m.rows.Close(v), m.buffer.Flush()); err != nil {
		return err
	}
	err := m.file.Commit()
	if errors.Is(err, fs.ErrExist) { // it was created meanwhile
		err = fmt.Errorf("%w: %w", encode.ErrExists, err)
	}
	return err
}

func (m *motionMeter) close() {
	if m != nil {
		_ = m.file.Close()
	}
}
