package web

import (
	"net/http"
	"strings"
)

// Where parts of the console are served to pages of others: as documents for
// frames, and as fragments of a page.
const (
	EmbedRoot    = "/embed/v1"
	FragmentRoot = "/fragments/v1"
	BadgeRoot    = "/badge/v1"
)

// Below reports whether the address of a request is below root.
func (k *Kit) Below(r *http.Request, root string) bool {
	return strings.HasPrefix(r.URL.Path, string(k.Paths)+root+"/")
}

// EmbedConfig says which other sites may show parts of the console.
type EmbedConfig struct {
	Origins      []string // may frame embeds, and read fragments and JSON; exact, such as "https://portal.example"
	CORSOrigins  []string // may read fragments and JSON instead; empty: Origins
	Keys         []string // sign tokens: the first signs, all are accepted; empty: the console's own, kept in its data
	PublicOrigin string   // where people reach the console, such as "https://wave.example"; empty: what each request says
}

// Readers are the origins that may read fragments and JSON.
func (c EmbedConfig) Readers() []string {
	if len(c.CORSOrigins) > 0 {
		return c.CORSOrigins
	}
	return c.Origins
}
