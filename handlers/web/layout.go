package web

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gorilla/mux"

	"wavedeck/handlers/present"
	"wavedeck/store"
	"wavedeck/store/manifest"
	"wavedeck/views"
)

// RouteVar is what stands in the path in the place of a name, as it was sent.
func RouteVar(r *http.Request, name string) string { return mux.Vars(r)[name] }

// pageRun is the run that a page is about, empty when it is about none.
func pageRun(r *http.Request) string {
	if RouteVar(r, "run") == "" {
		return ""
	}
	run, err := PathVar(r, "run")
	if err != nil {
		return ""
	}
	return run
}

type placeKey struct{}

// place is how far the database was known when a request came.
type place struct {
	epoch string
	event int64
}

// Placed notes the place of a request before anything is read for it: a page that
// took a later one for its own would miss what came while it was read.
func (k *Kit) Placed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		epoch, event := k.Store.Place()
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), placeKey{}, place{epoch, event})))
	})
}

// placeOf is the place of a request, and that of now when it was not noted.
func placeOf(ctx context.Context, now store.Health) place {
	if at, ok := ctx.Value(placeKey{}).(place); ok {
		return at
	}
	return place{now.Epoch, now.LastEventID}
}

// Layout is what surrounds a page: where it is, how live it is, what is wrong.
// Section is the current entry of the navigation, topic what its stream is about.
func (k *Kit) Layout(r *http.Request, section, title, topic string) views.Layout {
	health := k.Store.Health()
	catalog := k.Manifest.Current()
	c := views.Layout{
		Paths: k.Paths, Title: present.Clip(title, present.TextShown), Section: section, Now: k.Now(),
		Project: ProjectName(catalog), Source: sourceName(catalog.Project, health),
		Banners: slices.Concat(k.Frame.Banners(), k.problems(catalog, health)), CanAct: !k.ReadOnly, CanRun: k.Frame.CanRun(),
		SignOut: k.Frame.Gated, Run: pageRun(r),
	}
	c.Attention = k.Frame.Attention(r.Context())
	at := placeOf(r.Context(), health)
	c.Live = views.Live{Topic: topic, Cursor: cursorID(at.epoch, at.event), LastEvent: at.event}
	if health.Phase != store.Ready {
		c.Live.Offline = health.Problem
	}
	return c
}

// ProjectName is what the manifest calls the project, or else the name of its folder.
func ProjectName(catalog *manifest.Catalog) string {
	if catalog.Manifest.Name != "" {
		return present.Clip(present.Opening(catalog.Manifest.Name), present.NameShown)
	}
	return filepath.Base(catalog.Project.Root)
}

func sourceName(project manifest.Project, health store.Health) string {
	name := ShortPath(project, health.Path)
	if health.SchemaVersion > 0 {
		name += fmt.Sprintf(" · schema %d", health.SchemaVersion)
	}
	return name
}

// ShortPath is a path as an operator knows it: relative to the project when it lies in it.
func ShortPath(project manifest.Project, path string) string {
	rel, err := filepath.Rel(project.Root, path)
	if err != nil || strings.HasPrefix(rel, "..") {
		return path
	}
	return rel
}

// problems are the banners: what is missing or broken, and where it was expected.
func (k *Kit) problems(catalog *manifest.Catalog, health store.Health) []views.Banner {
	var notices []views.Banner
	if health.Phase != store.Ready {
		notices = append(notices, views.Banner{
			ID: "database", Level: "error", Title: databaseTitle(health.Phase),
			Detail: append([]string{health.Problem}, LookedFor(catalog.Project, manifest.MissingDatabase)...),
		})
	}
	for _, missing := range catalog.Project.Missing {
		switch missing.What {
		case manifest.MissingManifest:
			notices = append(notices, views.Banner{
				ID: "manifest", Level: "warn", Title: "No manifest: personas are unknown",
				Detail: lookedAt(missing.Looked),
			})
		case manifest.MissingPipelines:
			notices = append(notices, views.Banner{
				ID: "pipelines", Level: "warn", Title: "No pipelines: only what has run is known",
				Detail: lookedAt(missing.Looked),
			})
		}
	}
	if problem := k.Data.Problem(); problem != "" {
		notices = append(notices, views.Banner{
			ID: "desk", Level: "warn", Title: "The console data is not available",
			Detail: []string{problem, "Runs are still shown. Audit entries go to the log on stderr, and actions that must be stored are refused."},
		})
	}
	return notices
}

func databaseTitle(phase store.Phase) string {
	switch phase {
	case store.Locked:
		return "The state database is locked"
	case store.Unreadable:
		return "The state database cannot be read"
	default:
		return "No state database"
	}
}

// LookedFor says where something missing was expected.
func LookedFor(project manifest.Project, what string) []string {
	for _, missing := range project.Missing {
		if missing.What == what {
			return lookedAt(missing.Looked)
		}
	}
	return nil
}

func lookedAt(paths []string) []string {
	lines := make([]string, 0, len(paths))
	for _, path := range paths {
		lines = append(lines, "Searched in "+path)
	}
	return append(lines, "It is picked up as soon as it appears.")
}
