package embed

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"wavedeck/handlers/grant"
	"wavedeck/handlers/present"
	"wavedeck/handlers/runview"
	"wavedeck/handlers/web"
	"wavedeck/static"
	"wavedeck/store/criteria"
	"wavedeck/views"
	"wavedeck/views/legible"
)

// parseShared reads "runs/ID", "pipelines/NAME", and which page of it.
func parseShared(text string) (of runview.SharedThing, tab string, err error) {
	wrong := &criteria.InputError{Field: "of", Got: present.Clip(text, 64), Want: "runs/ID or pipelines/NAME"}
	segments, _, err := grant.ParseResource(strings.TrimSuffix(text, "/"))
	if err != nil || len(segments) < 2 || len(segments) > 3 {
		return of, "", wrong
	}
	if len(segments) == 3 {
		tab = segments[2]
	}
	switch segments[0] {
	case "runs":
		return runview.SharedThing{Run: segments[1]}, tab, nil
	case "pipelines":
		return runview.SharedThing{Pipeline: segments[1]}, tab, nil
	}
	return of, "", wrong
}

// shapeOf is one part of a thing that is there.
func (h *Handler) shapeOf(ctx context.Context, of runview.SharedThing, kind string) (shape, error) {
	if !slices.Contains(of.Kinds(), kind) {
		return shape{}, &criteria.InputError{Field: "kind", Got: present.Clip(kind, 64), Want: "one of " + strings.Join(of.Kinds(), ", ")}
	}
	what := shape{kind: kind, resource: of.Resource() + "/" + kind}
	word := strings.ToUpper(kind[:1]) + kind[1:]
	if of.Pipeline != "" {
		history, err := h.History(ctx, of.Pipeline)
		if err != nil {
			return what, err
		}
		if _, defined := h.Manifest.Current().Pipeline(of.Pipeline); !defined && len(history.Recent) == 0 {
			return what, runview.NoSuch("pipeline", of.Pipeline, h.Paths.Pipelines())
		}
		what.label = word + " of " + legible.Name(of.Pipeline)
		return what, nil
	}
	run, err := h.Store.Run(ctx, of.Run)
	if err != nil {
		return what, err //nolint:wrapcheck // described by the error table
	}
	what.label = word + " of run " + legible.Name(run.ID)
	return what, nil
}

// showShare is the page, or for a dialog its content, that helps to show a thing
// in another page: what to write there where that will work, else why not.
func (h *Handler) showShare(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	of, _, err := parseShared(q.Get("of"))
	if err != nil {
		return err
	}
	kind := q.Get("kind")
	if kind == "" {
		kind = of.Kinds()[0]
	}
	site := ""
	if asked := strings.TrimRight(strings.TrimSpace(q.Get("site")), "/"); asked != "" {
		if site, err = web.ParseOrigin(asked); err != nil {
			return &criteria.InputError{Field: "site", Got: present.Clip(asked, 64), Want: "the origin of the page, such as https://portal.example"}
		}
	}
	return h.ServeCached(w, r, web.TypeHTML, func(r *http.Request, b *bytes.Buffer) error {
		ctx := r.Context()
		what, err := h.shapeOf(ctx, of, kind)
		if err != nil {
			return err
		}
		view := h.shareView(r, of, what, site)
		if web.IsFragment(r) {
			return views.ShareForm(view).Render(ctx, b)
		}
		return views.SharePage(view).Render(ctx, b)
	})
}

func (h *Handler) shareView(r *http.Request, of runview.SharedThing, what shape, site string) views.ShareView {
	view := views.ShareView{
		Layout: h.Layout(r, sectionOf(of), "Share "+strings.ToLower(what.label[:1])+what.label[1:], ""), Of: of.Resource(), Kind: what.kind, Site: site,
		Sites: h.Access.Embed.Origins, What: what.label, Guide: h.Paths.EmbeddingGuide(),
		Preview: string(h.Paths) + web.EmbedRoot + "/" + what.resource,
	}
	for _, kind := range of.Kinds() {
		q := url.Values{"kind": {kind}}
		if site != "" {
			q.Set("site", site)
		}
		view.Kinds = append(view.Kinds, views.Option{Label: kind, Href: h.Paths.Share(of.Resource(), q), On: kind == what.kind})
	}
	view.Snippets = h.snippets(h.sitePolicy(r, site), of, what)
	return view
}

func sectionOf(of runview.SharedThing) string {
	if of.Pipeline != "" {
		return "pipelines"
	}
	return "runs"
}

// sitePolicy is what pages of a site may show, and why not more.
type sitePolicy struct {
	at     string // the console, without a slash at its end
	site   string // empty: some listed one
	gated  bool
	listed bool   // may frame it
	reads  bool   // may read its fragments
	flag   string // what would list the site
	near   string // what else has to hold for a browser to reach the console
}

func (h *Handler) sitePolicy(r *http.Request, site string) sitePolicy {
	origin := h.Origin(r)
	p := sitePolicy{
		at: origin + string(h.Paths), site: site, gated: h.gated(),
		listed: slices.Contains(h.Access.Embed.Origins, site) || site == "" && len(h.Access.Embed.Origins) > 0,
		reads:  slices.Contains(h.Access.Embed.Readers(), site) || site == "" && len(h.Access.Embed.Readers()) > 0,
		flag:   "--embed-origins " + site,
	}
	if site == "" {
		p.flag = "--embed-origins https://portal.example"
	}
	if site == origin {
		p.listed, p.reads = true, true
	}
	u, err := url.Parse(origin)
	if err != nil {
		return p
	}
	switch addr, err := netip.ParseAddr(u.Hostname()); {
	case u.Hostname() == "localhost" || err == nil && addr.IsLoopback():
		p.near = "Only browsers on this machine reach " + origin + ". For others, put a proxy in front and name it with --public-url."
	case strings.HasPrefix(site, "https:") && u.Scheme == "http":
		p.near = "A page at " + site + " may not show what comes without encryption: serve the console by https, and name that with --public-url."
	}
	return p
}

// why says why a site may not frame the console, and what would let it.
func (p sitePolicy) why() string {
	if p.site == "" {
		return "No site may embed this console. Start it with " + p.flag + " to let one."
	}
	return "Pages of " + p.site + " may not embed this console. Start it with " + p.flag + " to let them."
}

const gatedWhy = "This console requires a token, and a page of another site has none. Use the element with a token from your portal's server."

// snippets are what to write in the page of a site. One that would not work has
// a reason instead.
func (h *Handler) snippets(p sitePolicy, of runview.SharedThing, what shape) []views.Snippet {
	src := p.at + web.EmbedRoot + "/" + what.resource
	part := p.at + web.FragmentRoot + "/" + what.resource
	script := `<script src="` + p.at + static.URL("", "embed.js") + `" integrity="` + static.Integrity("embed.js") + `" crossorigin="anonymous"></script>`
	title := attribute(what.label)
	frame := views.Snippet{ID: "iframe", Title: "Frame", About: "For any page that takes HTML.", Near: p.near}
	element := views.Snippet{ID: "element", Title: "Element", About: "A frame with the height of its content and your page's colors.", Near: p.near}
	fragment := views.Snippet{ID: "fragment", Title: "Fragment", About: "Part of your page, read by htmx; a server may include the same address.", Near: p.near}
	switch {
	case !p.listed:
		frame.Why, element.Why = p.why(), p.why()
	case p.gated:
		frame.Why = gatedWhy
		element.About = "Your server answers renew with what POST " + p.at + "/api/v1/embed-tokens said; see the guide."
		element.Code = script + "\n<wave-embed renew=\"/wave-token?resource=" + what.resource + "\" title=\"" + title + "\"></wave-embed>"
	default:
		frame.Code = frameHTML(src, what.label, frameWidth, frameHeight(what.kind))
		element.Code = script + "\n<wave-embed src=\"" + attribute(src) + "\" title=\"" + title + "\"></wave-embed>"
	}
	switch {
	case p.gated:
		fragment.Why = gatedWhy
	case !p.reads:
		fragment.Why = p.why()
		if p.listed {
			fragment.Why = "Pages of " + p.site + " may frame this console and not read it. Add them to --cors-origins."
		}
	default:
		fragment.Code = `<link rel="stylesheet" href="` + p.at + static.URL("", "fragment.css") + `" integrity="` + static.Integrity("fragment.css") + "\" crossorigin=\"anonymous\">\n" +
			`<div hx-get="` + attribute(part) + `" hx-trigger="load, every 15s"></div>`
	}
	list := []views.Snippet{frame, element, fragment}
	if of.Pipeline == "" {
		return list
	}
	badge := views.Snippet{ID: "badge", Title: "Badge", About: "For a README. It shows the last run.", Near: p.near}
	if p.gated {
		badge.Why = "This console requires a token, and the host of a README has none."
	} else {
		image := p.at + web.BadgeRoot + "/" + of.Resource() + ".svg"
		badge.Code = fmt.Sprintf("[![%s](%s)](%s)", bracketless(legible.Name(of.Pipeline)), image, p.at+"/"+of.Resource())
	}
	return append(list, badge)
}

// bracketless keeps a name from ending the text of a Markdown link.
func bracketless(name string) string {
	return strings.NewReplacer("[", `\[`, "]", `\]`, "\\", `\\`, "\n", " ").Replace(name)
}

// gated reports whether everybody is asked for a token.
func (h *Handler) gated() bool { return h.Frame.Gated }
