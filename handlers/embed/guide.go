package embed

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"wavedeck/handlers/runview"
	"wavedeck/handlers/web"
	"wavedeck/static"
	"wavedeck/store"
	"wavedeck/store/criteria"
	"wavedeck/views"
	"wavedeck/views/legible"
)

// showEmbeddingGuide is the page on showing parts of the console elsewhere. Its
// snippets are about this console and its newest run, so that they work as they
// stand.
func (h *Handler) showEmbeddingGuide(w http.ResponseWriter, r *http.Request) error {
	return h.ServeCached(w, r, web.TypeHTML, func(r *http.Request, b *bytes.Buffer) error {
		ctx := r.Context()
		run, pipeline, err := h.exampleRun(ctx)
		if err != nil {
			return err
		}
		g := guide{at: h.Origin(r) + string(h.Paths), origin: h.Origin(r), run: "runs/" + run, pipeline: "pipelines/" + pipeline, name: pipeline, portal: "https://portal.example"}
		if len(h.Access.Embed.Origins) > 0 {
			g.portal = h.Access.Embed.Origins[0]
		}
		view := views.GuideView{
			Layout: h.Layout(r, "", "Embed parts of the console", ""),
			Lead: "A run, its diagrams, a list of runs or a pipeline's history can be embedded in a page of another site. Embeds update live " +
				"and are read-only; their links open the console in a new tab.",
		}
		for _, section := range []func() (views.GuideSection, error){
			g.allow, g.html, g.element, g.signed, g.fragment, g.proxy, g.backstage, g.grafana, g.badge, g.looks,
		} {
			made, err := section()
			if err != nil {
				return err
			}
			view.Sections = append(view.Sections, made)
		}
		return views.EmbeddingGuide(view).Render(ctx, b)
	})
}

// exampleRun is what the snippets show: the newest run, or names to replace.
func (h *Handler) exampleRun(ctx context.Context) (run, pipeline string, err error) {
	page, err := h.Store.Runs(ctx, criteria.RunFilter{Limit: 1})
	if err != nil && !errors.Is(err, store.ErrUnavailable) {
		return "", "", err //nolint:wrapcheck // described by the error table
	}
	if len(page.Runs) == 0 || page.Runs[0].Pipeline == "" {
		return "RUN-ID", "PIPELINE", nil
	}
	of := runview.SharedThing{Run: page.Runs[0].ID}
	in := runview.SharedThing{Pipeline: page.Runs[0].Pipeline}
	return strings.TrimPrefix(of.Resource(), "runs/"), strings.TrimPrefix(in.Resource(), "pipelines/"), nil
}

// guide is what the snippets are about.
type guide struct {
	at, origin    string // the console, with its path and without
	run, pipeline string // resources
	name          string
	portal        string // origin of a page that may show it
}

func (g guide) script() string {
	return `<script src="` + g.at + static.URL("", "embed.js") + `" integrity="` + static.Integrity("embed.js") + `" crossorigin="anonymous"></script>`
}

func (g guide) frame(resource, title string) string {
	kind := resource[strings.LastIndexByte(resource, '/')+1:]
	return frameHTML(g.at+web.EmbedRoot+"/"+resource, title, frameWidth, frameHeight(kind))
}

func (g guide) allow() (views.GuideSection, error) {
	return views.GuideSection{
		ID: "allow", Title: "Allow a site",
		Text: []string{
			"No site may by default. List an exact origin for each site; patterns are not supported. Ordinary pages of the console cannot be framed.",
			"The Share page of a run or a pipeline has the snippets, says what is missing, and tests the policy that a browser receives.",
		},
		Code: []views.Snippet{{ID: "allow", Title: "On the console's command line", Code: "wavedeck serve --embed-origins " + g.portal}},
	}, nil
}

func (g guide) html() (views.GuideSection, error) {
	return views.GuideSection{
		ID: "html", Title: "Plain HTML",
		Text: []string{"Give the frame a title: it is its name for those who do not see it."},
		Code: []views.Snippet{
			{ID: "html", Title: "In your page", Code: g.frame(g.run+"/card", "Deployment")},
			{ID: "html-policy", Title: "In your page's Content-Security-Policy", Code: "frame-src " + g.origin},
		},
	}, nil
}

func (g guide) element() (views.GuideSection, error) {
	return views.GuideSection{
		ID: "element", Title: "The element",
		Text: []string{
			"It wraps a frame with the height of its content and your page's colors. Attributes: src, title, height (what to keep free before it is known), theme (auto, light, dark), renew. Its attribute state is loading, ready, stale, expired, failed or refused.",
		},
		Code: []views.Snippet{
			{ID: "element", Title: "In your page", Code: g.script() + "\n<wave-embed src=\"" + g.at + web.EmbedRoot + "/" + g.run + "/timeline\" title=\"Timeline of the deployment\"></wave-embed>"},
			{ID: "element-policy", Title: "In your page's Content-Security-Policy", Code: "script-src 'self' " + g.origin + "; frame-src " + g.origin},
		},
	}, nil
}

func (g guide) signed() (views.GuideSection, error) {
	body, err := json.Marshal(map[string]any{"resource": g.run, "ttl": 900, "origins": []string{g.portal}, "subject": "ada@example.org"})
	return views.GuideSection{
		ID: "signed", Title: "With a token",
		Text: []string{
			"Where the console asks for a token, or where each reader of your page may see other runs, your server asks for a token for the part that this reader may see. It lasts 15 minutes at most and opens that part only, in pages of the origins that it names. Send your console's own token as Authorization: Bearer where it asks for one; it never goes to the browser.",
			"Answer the element's renew with the console's response, if the user is signed in on your site and may see it. The element renews the token before it expires, without interruption.",
		},
		Code: []views.Snippet{
			{ID: "token", Title: "Your server asks", Code: "curl -sS " + g.at + "/api/v1/embed-tokens \\\n  -H 'Content-Type: application/json' \\\n  -d '" + string(body) + "'"},
			{ID: "renew", Title: "In your page", Code: g.script() + "\n<wave-embed renew=\"/wave-token?resource=" + g.run + "/card\" title=\"Deployment\"></wave-embed>"},
		},
	}, err
}

func (g guide) fragment() (views.GuideSection, error) {
	return views.GuideSection{
		ID: "fragment", Title: "A fragment of your page",
		Text: []string{
			"The same parts as HTML without a document, scripts or styles: your server includes them, or htmx reads them. The stylesheet gives them the console's looks and touches nothing else of your page.",
		},
		Code: []views.Snippet{
			{ID: "style", Title: "Looks", Code: `<link rel="stylesheet" href="` + g.at + static.URL("", "fragment.css") + `" integrity="` + static.Integrity("fragment.css") + `" crossorigin="anonymous">`},
			{ID: "include", Title: "Server-side include, behind the proxy below", Code: `<!--#include virtual="/wave` + web.FragmentRoot + "/" + g.run + `/card"-->`},
			{ID: "htmx", Title: "htmx, behind the proxy below", Code: `<div hx-get="/wave` + web.FragmentRoot + "/" + g.run + `/steps" hx-trigger="load, every 15s"></div>`},
		},
	}, nil
}

func (g guide) proxy() (views.GuideSection, error) {
	host := strings.TrimPrefix(strings.TrimPrefix(g.origin, "http://"), "https://")
	return views.GuideSection{
		ID: "proxy", Title: "A path of your site",
		Text: []string{"Start the console with --trusted-proxy and the proxy's address; then it believes the prefix, and all of it works below the path: pages, streams, frames and fragments, of one origin with yours."},
		Code: []views.Snippet{{ID: "nginx", Title: "nginx", Code: "location /wave/ {\n  proxy_pass " + g.at + "/;\n  proxy_set_header Host " + host + ";\n  proxy_set_header X-Forwarded-Prefix /wave;\n" +
			"  proxy_set_header X-Forwarded-Host $http_host;\n  proxy_set_header X-Forwarded-Proto $scheme;\n  proxy_buffering off;\n}"}},
	}, nil
}

func (g guide) backstage() (views.GuideSection, error) {
	return views.GuideSection{
		ID: "backstage", Title: "Backstage",
		Text: []string{"Allow the console in Backstage's policy, load the element once, and use it in a card of your entity page."},
		Code: []views.Snippet{
			{ID: "backstage-config", Title: "app-config.yaml", Code: "backend:\n  csp:\n    frame-src: [\"'self'\", \"" + g.origin + "\"]\n    script-src: [\"'self'\", \"'unsafe-eval'\", \"" + g.origin + "\"]"},
			{ID: "backstage-index", Title: "packages/app/public/index.html", Code: g.script()},
			{ID: "backstage-card", Title: "packages/app/src/components/WaveHistory.tsx", Code: "import { InfoCard } from '@backstage/core-components';\n\nexport const WaveHistory = () => (\n  <InfoCard title=\"Wave\">\n    <wave-embed src=\"" +
				g.at + web.EmbedRoot + "/" + g.pipeline + "/history\" title=\"Runs of " + attribute(g.name) + "\"></wave-embed>\n  </InfoCard>\n);"},
		},
	}, nil
}

func (g guide) grafana() (views.GuideSection, error) {
	panel := map[string]any{
		"type": "text", "title": "Wave", "gridPos": map[string]int{"w": 12, "h": 10, "x": 0, "y": 0},
		"options": map[string]string{"mode": "html", "content": g.frame(g.pipeline+"/latest", "Last run of "+g.name)},
	}
	var code bytes.Buffer
	enc := json.NewEncoder(&code)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(panel)
	return views.GuideSection{
		ID: "grafana", Title: "Grafana",
		Text: []string{"A text panel in HTML mode shows a frame. Grafana takes frames out of it unless its sanitising is off, which concerns everybody who may edit dashboards."},
		Code: []views.Snippet{
			{ID: "grafana-ini", Title: "grafana.ini", Code: "[panels]\ndisable_sanitize_html = true"},
			{ID: "grafana-panel", Title: "The panel's JSON", Code: strings.TrimSpace(code.String())},
		},
	}, err
}

func (g guide) badge() (views.GuideSection, error) {
	return views.GuideSection{
		ID: "badge", Title: "A badge, and oEmbed",
		Text: []string{
			"A badge tells a pipeline's last run by shape, word and color. An unknown state is shown as unknown. The same as .json is an endpoint for shields.io.",
			"Pages of runs and pipelines name their oEmbed address, so that a wiki that knows oEmbed shows them when their address is pasted.",
		},
		Code: []views.Snippet{
			{ID: "badge", Title: "Markdown", Code: "[![" + bracketless(legible.Name(g.name)) + "](" + g.at + web.BadgeRoot + "/" + g.pipeline + ".svg)](" + g.at + "/" + g.pipeline + ")"},
			{ID: "oembed", Title: "oEmbed", Code: g.at + "/oembed?format=json&url=" + g.at + "/" + g.run},
		},
	}, nil
}

func (g guide) looks() (views.GuideSection, error) {
	return views.GuideSection{
		ID: "looks", Title: "Looks",
		Text: []string{
			"Every address takes theme=auto, light or dark; density=compact or comfortable; tz=UTC, local or a zone such as Europe/Berlin (without it ages); live=poll (every 15 seconds, and nothing is sent as long as nothing changed), sse or off; limit for lists.",
			"Colors and lengths: " + strings.Join(themeColours, ", ") + ", " + strings.Join(themeLengths, ", ") + ". In a frame's address they are parameters; around the element and fragments they are properties of your stylesheet.",
		},
		Code: []views.Snippet{
			{ID: "looks", Title: "In a frame", Code: g.at + web.EmbedRoot + "/runs?state=failed&limit=5&theme=dark&tz=UTC&--wd-bg=%23101418&--wd-row=36px"},
			{ID: "looks-css", Title: "In your stylesheet", Code: "wave-embed, .wavedeck { --wd-accent: #0d8651; --wd-bg: #fbfbf8 }"},
		},
	}, nil
}
