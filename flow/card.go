package flow

import (
	"encoding/json"
	"fmt"
	"io/fs"
)

// Card is a network's model card, as the export writes it to model.json.
type Card struct {
	Format     int         `json:"format"` // of the card; CardFormat
	Name       string      `json:"name"`
	Version    string      `json:"version"`
	Precisions []Precision `json:"precisions,omitempty"` // that it has graphs for; none stated = fp32
	Parameters int64       `json:"parameters"`
	Training   Training    `json:"training"`
	Errors     []Errors    `json:"errors"`
	Licence    string      `json:"licence"`
}

// CardFormat is the newest format of a card that this package reads.
const CardFormat = 1

// Training says how the weights came to be.
type Training struct {
	Commit  string  `json:"commit"`  // of this repository
	Steps   int64   `json:"steps"`   // optimiser steps
	Samples int64   `json:"samples"` // pairs of windowed frames
	Minutes float64 `json:"minutes"` // on Device
	Device  string  `json:"device"`
	Data    string  `json:"data"`
}

// Errors are a method's errors on whole frames: the network's, or those of a method beside it.
type Errors struct {
	Data   string  `json:"data"`   // what was measured on
	Method string  `json:"method"` // the network's name, or zero, farneback, dis
	Pairs  int     `json:"pairs"`
	EPE    float64 `json:"epe"` // mean endpoint error, pixels
	PX1    float64 `json:"px1"` // share of pixels whose error is above 1 px, per cent
	Fl     float64 `json:"fl"`  // share of pixels whose error is above 3 px and 5 % of the flow, per cent
}

func (c Card) precisions() []Precision {
	if len(c.Precisions) == 0 {
		return []Precision{FP32}
	}
	return c.Precisions
}

// ReadCard reads the card of the network in a folder, and the built-in network's where dir is empty, without
// loading the network. Its error wraps ErrNetwork.
func ReadCard(dir string) (Card, error) {
	card, err := readCard(networkFolder(dir))
	if err != nil {
		return Card{}, describe(dir, err)
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
		return Card{}, fmt.Errorf("%w: %s names no network", ErrNetwork, name)
	}
	if card.Format > CardFormat {
		return Card{}, fmt.Errorf("%w: %s has format %d and this wwflow reads up to %d: take a newer wwflow", ErrNetwork, name, card.Format, CardFormat)
	}
	return card, nil
}
