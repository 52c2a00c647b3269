package visualize

import (
	"testing"

	"github.com/wwflow/wwflow/field"
)

// BenchmarkWheel paints Full-HD fields on one core: the ratio says how many times faster than the plain
// formula the tables are, measured in the same run.
func BenchmarkWheel(b *testing.B) {
	f := chart(1920, 1080)
	pix := make([]byte, 3*f.Width*f.Height)
	mega := float64(f.Width*f.Height) / 1e6
	var formula float64
	b.Run("formula", func(b *testing.B) {
		for b.Loop() {
			for i := range f.Width * f.Height {
				c := wheelColour(float64(f.Vectors[2*i]/10), float64(f.Vectors[2*i+1]/10))
				copy(pix[3*i:], c[:])
			}
		}
		formula = mega * float64(b.N) / b.Elapsed().Seconds()
		b.ReportMetric(formula, "Mpixel/s")
	})
	b.Run("tables", func(b *testing.B) {
		for b.Loop() {
			wheelRow(pix, f.Vectors, 0.1)
		}
		rate := mega * float64(b.N) / b.Elapsed().Seconds()
		b.ReportMetric(rate, "Mpixel/s")
		if formula > 0 {
			b.ReportMetric(rate/formula, "x-formula")
		}
	})
}

// BenchmarkStyles paints whole Full-HD pictures with all cores.
func BenchmarkStyles(b *testing.B) {
	f := chart(1920, 1080)
	for _, s := range Styles() {
		b.Run(string(s), func(b *testing.B) { benchPaint(b, f, Options{Style: s, MaxFlow: 10}) })
	}
	b.Run("flow with legend", func(b *testing.B) { benchPaint(b, f, Options{MaxFlow: 10, Legend: true}) })
}

func benchPaint(b *testing.B, f *field.Field, o Options) {
	p := painter(b, o)
	for b.Loop() {
		if _, err := p.Paint(f); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(f.Width*f.Height)/1e6*float64(b.N)/b.Elapsed().Seconds(), "Mpixel/s")
}
