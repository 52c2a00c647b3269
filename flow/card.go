package flow

import (
	"encoding/json"
	"fmt"
	"io/fs"
)

// Card is the model card of a network, the content of model.json.
type Card struct {
	Format     int         `json:"format"` // CardFormat or older
	Name       string      `json:"name"`
	Version    string      `json:"version"`
	Precisions []Precision `json:"precisions,omitempty"` // for which the network has graphs; empty = fp32
	Parameters int64       `json:"parameters"`
	Input      Input       `json:"input,omitzero"`
	Output     Output      `json:"output,omitzero"`
	Training   Training    `json:"training"`
	Errors     []Errors    `json:"errors"`
	Licence    string      `json:"licence"`
}

// CardFormat is the newest format of a model card that this package reads. Format 2 added Input and Output.
const CardFormat = 2

// Training describes how the network was trained.
type Training struct {
	Commit  string  `json:"commit"`  // of this repository, with which it was trained
	Steps   int64   `json:"steps"`   // of the optimiser
	Samples int64   `json:"samples"` // cropped pairs of frames
	Minutes float64 `json:"minutes"` // of training on Device
	Device  string  `json:"device"`
	Data    string  `json:"data"`
}

// Errors are the mean errors of a method on whole frames, for the network and for methods to compare it with.
type Errors struct {
	Data   string  `json:"data"`   // data set
	Method string  `json:"method"` // name of the network, or zero, farneback, dis
	Pairs  int     `json:"pairs"`
	EPE    float64 `json:"epe"` // mean endpoint error in pixels
	PX1    float64 `json:"px1"` // percentage of pixels with an error above 1 px
	Fl     float64 `json:"fl"`  // percentage of pixels with an error above 3 px and above 5 % of the flow
}

func (c Card) precisions() []Precision {
	if len(c.Precisions) == 0 {
		return []Precision{FP32}
	}
	return c.Precisions
}

// ReadCard reads the model card of the network in the folder dir, or of the built-in network if dir is empty, without loading
// the network. The error wraps ErrNetwork.
func ReadCard(dir string) (Card, error) {
	card, err := readCard(networkFolder(dir))
	if err != nil {
		return Card{}, addNetwork(dir, err)
	}
	return card, nil
}

func readCard(folder fs.FS) (Card, error) {
	const name = "model.json"
	data, err := fs.ReadFile(folder, name)
	if err != nil {
		return Card{}, fileError(name, err)
	}
	var card Card
	if err := json.Unmarshal(data, &card); err != nil {
		return Card{}, fmt.Errorf("%w: %s: %w", ErrNetwork, name, err)
	}
	if card.Name == "" {
		return Card{}, fmt.Errorf("%w: %s has no name", ErrNetwork, name)
	}
	if card.Format > CardFormat {
		return Card{}, fmt.Errorf("%w: %s has format %d, and this version of wwflow reads formats up to %d: use a newer version", ErrNetwork, name, card.Format, CardFormat)
	}
	if err := card.Input.check(); err != nil {
		return Card{}, fmt.Errorf("%w: %s: %w", ErrNetwork, name, err)
	}
	if l := card.Output.Layout; l != "" && l != NHWC && l != NCHW {
		return Card{}, fmt.Errorf("%w: %s: output.layout is %q, want NHWC or NCHW", ErrNetwork, name, l)
	}
	return card, nil
}
