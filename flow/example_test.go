package flow_test

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"log"
	"math"

	"github.com/wwflow/wwflow/flow"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/visualize"
)

// pattern is an image of waves, moved by (dx, dy) pixels.
func pattern(dx, dy float64) image.Image {
	m := image.NewRGBA(image.Rect(0, 0, 160, 96))
	for y := range 96 {
		for x := range 160 {
			a, b := float64(x)-dx, float64(y)-dy
			v := 128 + 40*math.Sin(a/3+b/9) + 40*math.Sin(b/4-a/11) + 40*math.Sin((a+b)/7)
			m.Set(x, y, color.RGBA{uint8(v), uint8(255 - v), uint8(v / 2), 255})
		}
	}
	return m
}

// The flow between two images.
func ExampleModel_Flow() {
	model, err := flow.Open(flow.Options{}) // the built-in network on the best device
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	first, second := pattern(0, 0), pattern(3, 1) // any image.Image
	f, err := model.Flow(context.Background(), frame.FromImage(first), frame.FromImage(second))
	if err != nil {
		log.Fatal(err)
	}
	u, v := f.At(80, 48) // pixels to the right and downwards
	fmt.Printf("%dx%d pixels, centre moves by (%.0f, %.0f)\n", f.Width, f.Height, u, v)

	painter, err := visualize.New(visualize.Options{MaxFlow: 10})
	if err != nil {
		log.Fatal(err)
	}
	painted, err := painter.Paint(f)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("painted", painted.Image().Bounds().Size())
	// Output:
	// 160x96 pixels, centre moves by (3, 1)
	// painted (160,96)
}
