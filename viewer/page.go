package viewer

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"github.com/wwflow/wwflow/stats"
)

// MaxPage is the largest size of a page in bytes. Browsers become slow with larger ones.
const MaxPage = 256 << 20

// ErrPage is returned by WritePage if the page would be larger than MaxPage.
var ErrPage = fmt.Errorf("the page would be larger than %d MiB", MaxPage>>20)

// embedding is what a page in one file has in place of a server.
type embedding struct {
	Session  session           `json:"session"`
	Item     description       `json:"item"`
	Frames   map[int][]byte    `json:"frames"`   // JPEG, by number
	Fields   map[string][]byte `json:"fields"`   // packed packets, by result/number
	Pictures map[string][]byte `json:"pictures"` // JPEG of flow videos, by result/number
	Curves   []curve           `json:"curves"`
}

// WritePage writes one file that shows the first item without a server and without a network. It has the first limit
// positions with flow, 0 = all. What would have to be estimated is estimated. progress is called with the number of positions
// that are done and of all.
func (v *Viewer) WritePage(ctx context.Context, w io.Writer, limit int, progress func(done, all int)) error {
	e, err := v.embed(ctx, limit, progress)
	if err != nil {
		return err
	}
	data, err := json.Marshal(e) // "<" is escaped, so the data cannot end its element
	if err != nil {
		return err
	}
	page, err := page(data)
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, page)
	return err
}

// embed collects the content of a page.
func (v *Viewer) embed(ctx context.Context, limit int, progress func(done, all int)) (*embedding, error) {
	i := v.items[0]
	if err := i.open(v); err != nil {
		return nil, err
	}
	e := &embedding{Session: v.session(), Item: i.describe(), Frames: map[int][]byte{}, Fields: map[string][]byte{}, Pictures: map[string][]byte{}}
	e.Session.Items = e.Session.Items[:1]
	numbers := i.positions()
	if limit > 0 && len(numbers) > limit {
		numbers = numbers[:limit]
	}
	for k := range i.results {
		e.Curves = append(e.Curves, curve{Pairs: []stats.Pair{}, Cuts: []int{}, Done: true})
		e.Item.Results[k].Numbers = slices.DeleteFunc(e.Item.Results[k].Numbers, func(n int) bool { return !slices.Contains(numbers, n) })
	}
	size := 0
	for done, n := range numbers {
		added, err := v.embedPosition(ctx, e, i, n)
		if err != nil {
			return nil, err
		}
		if size += added; size > MaxPage*3/4 { // base64 takes a third more
			return nil, fmt.Errorf("%w at frame %d", ErrPage, n)
		}
		progress(done+1, len(numbers))
	}
	if e.Item.Frames > 0 && len(numbers) > 0 {
		e.Item.Frames = numbers[len(numbers)-1] + 1
		e.Item.Times = e.Item.Times[:min(len(e.Item.Times), e.Item.Frames)]
	}
	return e, nil
}

// embedPosition adds what is shown at one position, and returns its size in bytes.
func (v *Viewer) embedPosition(ctx context.Context, e *embedding, i *item, n int) (size int, err error) {
	if i.frames != nil {
		f, err := i.frames.frame(ctx, n)
		if err != nil {
			return 0, err
		}
		picture, err := asJPEG(f)
		if err != nil {
			return 0, err
		}
		e.Frames[n], size = picture.body, len(picture.body)
	}
	for k, r := range i.results {
		if !slices.Contains(e.Item.Results[k].Numbers, n) {
			continue
		}
		key := fmt.Sprintf("%d/%d", k, n)
		if r.pictures != nil {
			f, err := r.pictures.frame(ctx, n)
			if err != nil {
				return 0, err
			}
			picture, err := asJPEG(f)
			if err != nil {
				return 0, err
			}
			e.Pictures[key], size = picture.body, size+len(picture.body)
			continue
		}
		p, err := r.fields.packet(ctx, n, 1)
		if err != nil {
			return 0, err
		}
		if e.Fields[key], err = p.encode(true); err != nil {
			return 0, err
		}
		pair := stats.Measure(p.field(), false)
		pair.Frame = n
		e.Curves[k].Pairs = append(e.Curves[k].Pairs, pair)
		size += len(e.Fields[key])
	}
	return size, nil
}

// positions returns the numbers of the frames that have flow, increasing.
func (i *item) positions() (list []int) {
	for _, r := range i.describe().Results {
		list = append(list, r.Numbers...)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// page returns the page with its style sheet, its modules and the data in it. Its policy names the hashes of the two, so that
// a browser runs and loads nothing else.
func page(data []byte) (string, error) {
	read := func(name string) (string, error) {
		b, err := fs.ReadFile(assets, name)
		return string(b), err
	}
	html, err1 := read("index.html")
	style, err2 := read("style.css")
	script, err3 := bundle()
	if err := errors.Join(err1, err2, err3); err != nil {
		return "", err
	}
	style, script = "\n"+style, "\n"+script
	policy := fmt.Sprintf("default-src 'none'; script-src '%s'; style-src '%s'; base-uri 'none'; form-action 'none'", hash(script), hash(style))
	for _, change := range [][2]string{
		{`<link rel="icon" href="icon.svg">` + "\n", ""},
		{`<meta charset="utf-8">`, `<meta charset="utf-8">` + "\n" + `<meta http-equiv="Content-Security-Policy" content="` + policy + `">`},
		{`<link rel="stylesheet" href="style.css">`, "<style>" + style + "</style>"},
		{`<script type="module" src="main.js"></script>` + "\n", ""},
		{`</body>`, `<script type="application/json" id="embedded">` + string(data) + "</script>\n" + `<script type="module">` + script + "</script>\n</body>"},
	} {
		if strings.Count(html, change[0]) != 1 {
			return "", fmt.Errorf("index.html does not have %q once", change[0])
		}
		html = strings.Replace(html, change[0], change[1], 1)
	}
	return html, nil
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

var (
	importLine = regexp.MustCompile(`(?m)^import \{[^}]*\} from '\./([\w-]+\.js)';\n`)
	exportWord = regexp.MustCompile(`(?m)^export `)
)

// bundle returns the modules as one, each after those that it imports. Their top-level names are distinct.
func bundle() (string, error) {
	var out strings.Builder
	done := map[string]bool{}
	var add func(name string) error
	add = func(name string) error {
		if done[name] {
			return nil
		}
		done[name] = true
		code, err := fs.ReadFile(assets, name)
		if err != nil {
			return err
		}
		for _, match := range importLine.FindAllSubmatch(code, -1) {
			if err := add(string(match[1])); err != nil {
				return err
			}
		}
		out.Write(exportWord.ReplaceAll(importLine.ReplaceAll(code, nil), nil))
		return nil
	}
	err := add("main.js")
	return out.String(), err
}
