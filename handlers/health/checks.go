package health

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"strings"
	"time"

	"wavedeck/handlers/buildinfo"
	"wavedeck/handlers/present"
	"wavedeck/handlers/web"
	"wavedeck/runner"
	"wavedeck/store"
	"wavedeck/store/dbfile"
	"wavedeck/store/manifest"
	"wavedeck/store/search"
	"wavedeck/store/statedb"
	"wavedeck/store/wave"
	"wavedeck/views"
)

// Bounds beyond which a check reports a problem.
const (
	slowLag     = 2 * time.Second // from noticing a change to having published it
	largeData   = 1 << 30
	littleSpace = 1 << 30
	noSpace     = 64 << 20
)

func (h *Handler) lookDatabase(ctx context.Context) finding {
	f := found("database", "State database")
	health := h.Store.Health()
	catalog := h.Manifest.Current()
	f.text("path", "", health.Path)
	f.text("phase", "", string(health.Phase))
	in, err := h.Store.Inspect(ctx)
	if err == nil {
		f.text("read_mode", "read", in.ReadMode)
		f.text("journal_mode", "journal", in.JournalMode)
		f.bytes("bytes", "size", in.Bytes)
		f.bytes("log_bytes", "log", in.LogBytes)
		f.number("log_pauses", "reads paused for the write-ahead log", health.LogPauses)
	}
	if health.LastProblemAt.IsZero() {
		f.text("last_error", "last error", "none")
	} else {
		f.text("last_error", "last error", health.LastProblem)
		f.at("last_error_at", "", health.LastProblemAt)
	}
	switch {
	case health.Phase != store.Ready:
		f.become(unwell, strings.Join(append([]string{health.Problem + "."}, web.LookedFor(catalog.Project, manifest.MissingDatabase)...), " "))
	case err != nil:
		f.become(unwell, "It is open and cannot be read: "+web.Describe(err).Text+".")
	case health.LogBound > 0 && in.LogBytes > 2*health.LogBound:
		f.become(warned, "The write-ahead log has grown to "+views.Bytes(in.LogBytes)+", although reads here make room for it: another program reads the database without a break or hangs in the middle. Look for one; the log shrinks when all programs have closed the database.")
	}
	return f
}

func (h *Handler) lookSchema(ctx context.Context) finding {
	f := found("schema", "Schema")
	in, err := h.Store.Inspect(ctx)
	if err != nil {
		f.text("version", "version", "")
		f.become(unsure, "Available when the database can be read.")
		return f
	}
	f.text("version", "version", statedb.Describe(in.Noted, in.Oldest, in.Newest))
	f.Facts["noted"], f.Facts["tables_from"], f.Facts["tables_to"] = in.Noted, in.Oldest, in.Newest
	f.text("known", "supported up to", views.Number(statedb.Latest))
	missing := "none"
	if len(in.Missing) > 0 {
		missing = strings.Join(in.Missing, ", ")
	}
	f.Facts["missing"] = append([]string{}, in.Missing...)
	f.show("missing", missing)
	switch {
	case in.Noted > statedb.Latest:
		f.become(warned, "A newer Wave wrote it. What is new in it is not shown. Upgrade wavedeck.")
	case len(in.Missing) > 0:
		f.become(warned, "What is missing is shown as unknown. Start Wave to migrate the database.")
	case in.Noted == 0:
		f.become(unsure, "It has no schema version. The tables decide.")
	}
	return f
}

func (h *Handler) lookChanges(context.Context) finding {
	f := found("changes", "Changes")
	health := h.Store.Health()
	if health.Phase != store.Ready {
		f.at("last_change", "last change", health.ChangedAt)
		f.become(unsure, "There is no database to follow.")
		return f
	}
	f.at("last_change", "last change", health.ChangedAt)
	f.number("last_event_id", "last event", int(health.LastEventID))
	f.took("lag", "published after", health.Lag)
	noticed := "notification"
	if !health.Notified {
		noticed = "polling"
		f.become(warned, "The kernel reports no changes here, so the file is polled. On Linux, raise fs.inotify.max_user_instances. Network filesystems report no changes.")
	}
	f.text("noticed_by", "detected by", noticed)
	f.took("checked", "polled since", time.Since(health.CheckedAt))
	if h.Behind(health) {
		f.become(unwell, "The database was not polled for longer than usual: what is shown may be stale. The machine is overloaded, or its disk does not respond.")
	}
	if health.Stray != "" {
		f.become(unwell, health.Stray+".")
	}
	if health.StrayUnknown {
		f.become(unsure, "The files beside the state database were replaced, and on this system it is unknown whether a program still writes to the deleted ones. If changes are missing, restart the programs that write to it.")
	}
	if health.Lag > slowLag {
		f.become(warned, "Updates are late: the machine or its disk is busy.")
	}
	return f
}

func (h *Handler) lookIndex(context.Context) finding {
	f := found("index", "Index of runs")
	health := h.Store.Health()
	if health.Phase != store.Ready {
		f.become(unsure, "There is no database to read.")
		f.text("runs", "runs", "")
		return f
	}
	f.number("runs", "runs", health.Index.Runs)
	f.bytes("bytes", "memory", int64(health.Index.Bytes))
	state := "complete"
	if !health.Index.Ready {
		state = "being built"
		f.become(warned, "Filters and counts wait until it is complete. No action is required.")
	}
	f.text("built", "", state)
	return f
}

func (h *Handler) lookSearch(ctx context.Context) finding {
	f := found("search", "Text search")
	if h.Index == nil {
		f.text("state", "", "off")
		f.show("", "started with --search off, or without a data folder")
		return f
	}
	status := h.Index.Status(ctx)
	f.text("state", "", string(status.State))
	f.number("events", "indexed up to event", int(status.Events))
	f.number("behind", "behind by", int(status.Behind))
	f.bytes("bytes", "size", status.Bytes)
	switch status.State {
	case search.Unusable:
		f.become(unwell, status.Problem)
	case search.Paused:
		f.become(warned, status.Problem)
	case search.Building:
		f.become(warned, "A search finds what is indexed so far. No action is required.")
	case search.Waiting:
		f.become(unsure, "There is no database to read.")
	}
	return f
}

func (h *Handler) lookProject(context.Context) finding {
	f := found("project", "Project files")
	catalog := h.Manifest.Current()
	f.text("manifest", "manifest", web.ShortPath(catalog.Project, catalog.Project.Manifest))
	f.number("pipelines", "pipelines", len(catalog.Pipelines))
	f.number("problems", "problems", len(catalog.Problems))
	if len(catalog.Problems) > 0 {
		do := present.Redact(present.Clip(catalog.Problems[0].String(), web.MaxText))
		if more := len(catalog.Problems) - 1; more > 0 {
			do += "; and " + plural(more, "more problem") + ": see the pipelines"
		}
		f.become(warned, do+".")
	}
	return f
}

// versioned is an engine that reports its version. Runner.ErrUnavailable says
// that its program does not exist.
type versioned interface {
	Version(ctx context.Context) (string, error)
}

func (h *Handler) lookEngine(ctx context.Context) finding {
	f := found("engine", "Engine")
	if h.Engine == nil {
		f.text("name", "", "none")
		f.become(warned, "Starting runs is not enabled. Start the console with --engine wave or --engine local.")
		return f
	}
	f.text("name", "", h.Engine.Name())
	version := buildinfo.Get().String()
	if e, ok := h.Engine.(versioned); ok {
		var err error
		version, err = e.Version(ctx)
		switch {
		case errors.Is(err, runner.ErrUnavailable):
			f.become(unwell, "Its program is not on PATH. Install it for the user that runs the console, or start that with --engine local.")
		case err != nil:
			f.become(warned, "Its program does not report its version.")
		}
	}
	f.text("version", "version", present.Redact(present.Clip(version, web.MaxText)))
	limit := runner.Limit(h.Manifest.Current())
	facets, err := h.Store.Facets(ctx)
	if err != nil {
		f.text("running", "running", "")
		f.number("limit", "limit", limit)
		f.become(unsure, "The number of active runs is available when the database can be read.")
		return f
	}
	running := facets.States[wave.Running] + facets.States[wave.Waiting]
	queued := facets.States[wave.Queued] + facets.States[wave.Pending]
	f.number("running", "running", running)
	f.number("queued", "queued", queued)
	f.number("limit", "limit", limit)
	if running+queued >= limit {
		f.become(warned, "The limit of active runs is reached: another start is refused. Wait, stop one, or raise max_concurrent_workers in the manifest.")
	}
	if h.ReadOnly {
		f.show("", "not used: this console is read-only")
	}
	return f
}

func (h *Handler) lookStreams(context.Context) finding {
	f := found("streams", "Live streams")
	f.number("open", "open", int(h.Shared.Streams.Load()))
	f.text("drop", "slow clients are disconnected after", h.Budgets.Write.String())
	used, most := h.Shared.OpenFiles()
	if most <= 0 {
		f.text("files_limit", "files that may be open", "")
		f.become(unsure, "The limit of open files is unknown on this system.")
		return f
	}
	f.number("files_open", "files and connections", used)
	f.number("files_limit", "of at most", most)
	if float64(used) >= web.FullShare*float64(most) {
		f.become(warned, "Live streams are refused: few more clients can connect. Raise the limit of open files (ulimit -n) and start the console again.")
	}
	return f
}

func (h *Handler) lookData(context.Context) finding {
	f := found("desk", "Own files")
	f.text("path", "", h.Data.Dir())
	if problem := h.Data.Problem(); problem != "" {
		f.become(unwell, problem+". Until then nothing is stored: saved views, acknowledgements, the audit log.")
		return f
	}
	size, files := folderSize(h.Data.Dir())
	f.bytes("bytes", "size", size)
	f.number("files", "files", files)
	if size > largeData {
		f.become(warned, "The audit log may be rotated: a new one is created.")
	}
	return f
}

// givenUpLately is how long a message that was given up makes webhooks unwell.
const givenUpLately = 24 * time.Hour

func (h *Handler) lookHooks(ctx context.Context) finding {
	f := found("webhooks", "Webhooks")
	c, err := h.Data.CountDeliveries(ctx, h.Now().Add(-givenUpLately))
	if err != nil {
		f.text("hooks", "set", "")
		f.become(unsure, "They are kept in the console data, which cannot be read.")
		return f
	}
	f.number("hooks", "set", c.Hooks)
	f.number("waiting", "pending", c.Waiting)
	f.number("retried", "retried", c.Retried)
	f.number("given_up", "failed (24 h)", c.GivenUp)
	switch {
	case c.GivenUp > 0:
		f.become(warned, "Some messages were not delivered: see the webhooks of the views.")
	case c.Retried > 0:
		f.become(warned, "A receiver does not accept messages now. They are retried.")
	}
	return f
}

// folderSize is what the files in a folder take, those below it left out.
func folderSize(dir string) (bytes int64, files int) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return -1, 0
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			bytes, files = bytes+info.Size(), files+1
		}
	}
	return bytes, files
}

func (h *Handler) lookDisk(context.Context) finding {
	f := found("disk", "Disk")
	state := filepath.Dir(h.Store.Health().Path)
	for _, place := range []struct{ key, name, dir string }{{"state", "for the state database", state}, {"data", "for the console data", h.Data.Dir()}} {
		free, ok := dbfile.Free(place.dir)
		if !ok {
			f.text(place.key+"_free_bytes", "free "+place.name, "")
			f.become(unsure, "The free space "+place.name+" is unknown: the folder does not exist, or this system does not report it.")
			continue
		}
		f.bytes(place.key+"_free_bytes", "free "+place.name, free)
		switch {
		case free < noSpace:
			f.become(unwell, "There is almost no space left "+place.name+": runs and the console data will fail. Free some space.")
		case free < littleSpace:
			f.become(warned, "There is less than "+views.Bytes(littleSpace)+" left "+place.name+". Free some space.")
		}
	}
	return f
}

func (h *Handler) lookProcess(context.Context) finding {
	f := found("process", "This console")
	f.text("version", "", buildinfo.Get().String())
	f.at("started", "started", h.Started)
	f.number("goroutines", "goroutines", runtime.NumGoroutine())
	heap := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(heap)
	bytes := int64(-1)
	if heap[0].Value.Kind() == metrics.KindUint64 {
		bytes = int64(heap[0].Value.Uint64()) //nolint:gosec // a heap of 2^63 bytes is none
	}
	f.bytes("heap_bytes", "heap", bytes)
	return f
}
