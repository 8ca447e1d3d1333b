package demo

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"

	"wavedeck/store/manifest"
)

func trees() []string {
	return []string{"Boskoop", "Gravenstein", "Conference", "Hedelfinger", "Reine Claude", "Roter Berlepsch", "Mirabelle de Nancy", "Kentish Red"}
}

// artifactContent is what a step would have written for one of its outputs.
func artifactContent(input string, out manifest.OutputArtifact, luck *rand.Rand) []byte {
	trees := trees()
	switch out.Type {
	case "json":
		return jsonContent(input, out.Name, luck)
	case "markdown":
		return fmt.Appendf(nil, "# %s\n\nFor: %s\n\n- **%s** keeps until March.\n- %s is ready to ship, %d trees.\n\nThe rest is as it was.\n",
			strings.ToUpper(out.Name[:1])+out.Name[1:], input, trees[luck.IntN(len(trees))], trees[luck.IntN(len(trees))], luck.IntN(400)+10)
	}
	var b strings.Builder
	if strings.HasSuffix(out.Name, "-log") {
		for i := range luck.IntN(40) + 20 {
			fmt.Fprintf(&b, "\x1b[32mok\x1b[0m %3d src/%s.test.ts (%d ms)\n", i+1,
				strings.ToLower(strings.ReplaceAll(trees[i%len(trees)], " ", "-")), luck.IntN(90)+1)
		}
		return []byte(b.String())
	}
	fmt.Fprintf(&b, "%s for %s\n", out.Name, input)
	for range 4 {
		fmt.Fprintf(&b, "%016x%016x\n", luck.Uint64(), luck.Uint64())
	}
	return []byte(b.String())
}

func jsonContent(input, name string, luck *rand.Rand) []byte {
	type tree struct {
		Name      string  `json:"name"`
		Rootstock string  `json:"rootstock"`
		Price     float64 `json:"price"`
		Stock     int     `json:"stock"`
	}
	content := struct {
		What     string `json:"what"`
		For      string `json:"for"`
		Currency string `json:"currency"`
		Trees    []tree `json:"trees"`
	}{What: name, For: input, Currency: "EUR"}
	for _, t := range trees() {
		content.Trees = append(content.Trees, tree{t, fmt.Sprintf("M%d", luck.IntN(20)+7), float64(luck.IntN(4000)+1900) / 100, luck.IntN(120)})
	}
	text, _ := json.MarshalIndent(content, "", "  ") //nolint:errchkjson // none of its numbers is infinite
	return append(text, '\n')
}

// iterateItems reads the literal list of an iterate step.
func iterateItems(over string) []string {
	var items []string
	_ = json.Unmarshal([]byte(over), &items) // the demo's own pipelines have a list there; a test holds them to it
	return items
}
