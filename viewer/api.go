package viewer

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"image/jpeg"
	"io/fs"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/visualize"
)

//go:embed assets
var embedded embed.FS

// assets are the files of the page.
var assets = func() fs.FS {
	sub, err := fs.Sub(embedded, "assets")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	return sub
}()

// handler answers the requests of the page. No request names a file: items, results and frames have numbers.
//
//	/                                      the page, and its modules and style sheet
//	/api/session                           the names of the items, and the painter's colours
//	/api/item?item=I                       one item: its frames and results
//	/api/frame?item=I&number=N&cell=C      a frame as JPEG
//	/api/picture?item=I&result=R&number=N&cell=C  an image of a flow video as JPEG
//	/api/field?item=I&result=R&number=N&cell=C    a field as packet; packed=1 for a slow connection
//	/api/curve?item=I&result=R             what is known of the motion curve, and the scene cuts
//
// With cell=C, frames, images and fields have the means of cells of C times C pixels.
func (v *Viewer) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /", http.FileServerFS(assets))
	mux.HandleFunc("GET /api/session", v.answer(v.serveSession))
	mux.HandleFunc("GET /api/item", v.answer(v.serveItem))
	mux.HandleFunc("GET /api/frame", v.answer(v.serveFrame))
	mux.HandleFunc("GET /api/picture", v.answer(v.servePicture))
	mux.HandleFunc("GET /api/field", v.answer(v.serveField))
	mux.HandleFunc("GET /api/curve", v.answer(v.serveCurve))
	return mux
}

// reply is the body of an answer.
type reply struct {
	kind string
	body []byte
}

func asJSON(value any) (reply, error) {
	body, err := json.Marshal(value)
	return reply{"application/json", body}, err
}

// problem is an error with its HTTP status.
type problem struct {
	status int
	error
}

func (p problem) Unwrap() error { return p.error }

func invalid(format string, args ...any) error {
	return problem{http.StatusBadRequest, fmt.Errorf(format, args...)}
}

// answer makes a handler of a function that returns the body.
func (v *Viewer) answer(serve func(*http.Request) (reply, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v.curves.busy.Add(1)
		defer v.curves.busy.Add(-1)
		answer, err := serve(r)
		if answer.kind != "application/json" {
			v.curves.last.Store(time.Now().UnixNano())
		}
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeTimeout))
		var p problem
		switch {
		case errors.Is(err, context.Canceled):
			return // nobody waits for it
		case errors.As(err, &p):
			http.Error(w, p.Error(), p.status)
			return
		case err != nil:
			http.Error(w, err.Error(), http.StatusUnprocessableEntity)
			return
		}
		w.Header().Set("Content-Type", answer.kind)
		w.Header().Set("Content-Length", strconv.Itoa(len(answer.body)))
		_, _ = w.Write(answer.body) // an error means that the browser is gone
	}
}

// number returns a parameter of a request, below limit.
func number(r *http.Request, name string, limit int) (int, error) {
	n, err := strconv.Atoi(r.FormValue(name))
	if err != nil || n < 0 || n >= limit {
		return 0, invalid("%s is a number from 0 to %d, not %.20q", name, limit-1, r.FormValue(name))
	}
	return n, nil
}

// cellOf returns the side of the cells that a request asks for, 1 = every pixel.
func cellOf(r *http.Request) (int, error) {
	if r.FormValue("cell") == "" {
		return 1, nil
	}
	cell, err := number(r, "cell", maxCell+1)
	return max(1, cell), err
}

// item returns the open item that a request names.
func (v *Viewer) item(r *http.Request) (*item, error) {
	n, err := number(r, "item", len(v.items))
	if err != nil {
		return nil, err
	}
	return v.items[n], v.items[n].open(v)
}

// result returns the result that a request names.
func (v *Viewer) result(r *http.Request) (*result, error) {
	i, err := v.item(r)
	if err != nil {
		return nil, err
	}
	n, err := number(r, "result", len(i.results))
	if err != nil {
		return nil, err
	}
	return i.results[n], nil
}

// session is what the page needs before it shows anything.
type session struct {
	Items []string `json:"items"`
	Wheel string   `json:"wheel"` // the colours of the wheel's rim, red, green and blue, in hexadecimal digits
	Ramp  string   `json:"ramp"`  // the colours of confidence 0, 1/255 ... 1
}

func (v *Viewer) session() session {
	s := session{Items: []string{}, Wheel: digits(visualize.Wheel()), Ramp: digits(visualize.Ramp())}
	for _, i := range v.items {
		s.Items = append(s.Items, i.name)
	}
	return s
}

func digits(colours [][3]uint8) string {
	var b strings.Builder
	for _, c := range colours {
		fmt.Fprintf(&b, "%02x%02x%02x", c[0], c[1], c[2])
	}
	return b.String()
}

func (v *Viewer) serveSession(*http.Request) (reply, error) { return asJSON(v.session()) }

// description is an item as the page sees it.
type description struct {
	Name    string              `json:"name"`
	Frames  int                 `json:"frames"` // number of frames of the video; 0 = no video
	Width   int                 `json:"width"`  // of its frames, in pixels
	Height  int                 `json:"height"`
	Times   []float64           `json:"times,omitempty"` // of the frames, in seconds
	Rate    float64             `json:"rate"`            // frames per second, 25 if unknown
	Results []resultDescription `json:"results"`
}

type resultDescription struct {
	Name    string `json:"name"`
	Kind    string `json:"kind"` // files, estimate or painted
	Truth   bool   `json:"truth"`
	Width   int    `json:"width"` // of the pictures, if it is painted
	Height  int    `json:"height"`
	Numbers []int  `json:"numbers"` // of the frames that have a field or a picture
}

func (i *item) describe() description {
	d := description{Name: i.name, Rate: 25, Results: []resultDescription{}}
	if i.frames != nil {
		d.Frames, d.Times = i.frames.count(), i.frames.seconds()
		d.Width, d.Height = i.frames.info.Width, i.frames.info.Height
		if rate := i.frames.info.FrameRate.Float(); rate > 0 {
			d.Rate = rate
		}
	}
	for _, r := range i.results {
		one := resultDescription{Name: r.name, Kind: r.kind, Truth: r.truth}
		if r.fields != nil {
			one.Numbers = r.fields.numbers()
		} else {
			one.Width, one.Height = r.pictures.info.Width, r.pictures.info.Height
			for n := range r.pictures.count() {
				one.Numbers = append(one.Numbers, n)
			}
		}
		d.Results = append(d.Results, one)
	}
	return d
}

func (v *Viewer) serveItem(r *http.Request) (reply, error) {
	i, err := v.item(r)
	if err != nil {
		return reply{}, err
	}
	return asJSON(i.describe())
}

func (v *Viewer) serveFrame(r *http.Request) (reply, error) {
	i, err := v.item(r)
	if err != nil {
		return reply{}, err
	}
	return servePicture(r, i.frames)
}

func (v *Viewer) servePicture(r *http.Request) (reply, error) {
	result, err := v.result(r)
	if err != nil {
		return reply{}, err
	}
	return servePicture(r, result.pictures)
}

func servePicture(r *http.Request, from *frames) (reply, error) {
	if from == nil {
		return reply{}, problem{http.StatusNotFound, errors.New("there are no pictures")}
	}
	n, err := number(r, "number", 1<<30)
	if err != nil {
		return reply{}, err
	}
	cell, err := cellOf(r)
	if err != nil {
		return reply{}, err
	}
	picture, err := from.frame(r.Context(), n)
	if err != nil {
		return reply{}, err
	}
	return asJPEG(reducePicture(picture, cell))
}

const jpegQuality = 92

func asJPEG(f *frame.Frame) (reply, error) {
	var b bytes.Buffer
	err := jpeg.Encode(&b, f.Image(), &jpeg.Options{Quality: jpegQuality})
	return reply{"image/jpeg", b.Bytes()}, err
}

func (v *Viewer) serveField(r *http.Request) (reply, error) {
	result, err := v.result(r)
	if err != nil {
		return reply{}, err
	}
	n, err := number(r, "number", 1<<30)
	if err != nil {
		return reply{}, err
	}
	if result.fields == nil {
		return reply{}, problem{http.StatusNotFound, errors.New("a flow video has colours and no vectors")}
	}
	if _, found := slices.BinarySearch(result.fields.numbers(), n); !found {
		return reply{}, problem{http.StatusNotFound, fmt.Errorf("there is no flow for frame %d", n)}
	}
	cell, err := cellOf(r)
	if err != nil {
		return reply{}, err
	}
	p, err := result.fields.packet(r.Context(), n, cell)
	if err != nil {
		return reply{}, err
	}
	body, err := p.encode(r.FormValue("packed") == "1")
	return reply{"application/octet-stream", body}, err
}

func (v *Viewer) serveCurve(r *http.Request) (reply, error) {
	i, err := v.item(r)
	if err != nil {
		return reply{}, err
	}
	result, err := v.result(r)
	if err != nil {
		return reply{}, err
	}
	return asJSON(v.curve(i, result))
}
