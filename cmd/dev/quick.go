package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
)

// slowTests take a second or more each, mostly waiting for what the product does by time. quick leaves them to test.
func slowTests() []string {
	return []string{
		// handlers
		"TestNoTextMakesAPageLong", "TestBulkOfAThousandRuns", "TestWhatPagesOfOtherSitesMayAskFor", "TestNeedsAttention", "TestLogFollowed",
		"TestRunStreamFollowsToTheEnd", "TestEveryLinkLeadsSomewhere", "TestHookThatIsChangedIsNotToldOfAttentionThatWasThere",
		"TestHookIsNotToldOfAttentionThatWasThere", "TestRunStreamWaitsForWhatComesAfterTheEnd", "TestHookTellsWhatNeedsAttention",
		"TestLedgerTextsAreHarmless", "TestRebuildSearch", "TestPrefixesOfProxies", "TestHookLinksToWhereItWasSet",
		"TestStreamOutlivesTheTimeForOneWrite", "TestEveryFormShowsTheTrueEnd",
		// store
		"TestLogStaysBounded", "TestFollowFile", "TestIndexAnswersAsTheDatabaseWould", "TestChangesByTime", "TestEstimateHoldsWhatItSays",
		"TestVerdictsTurnWithTime", "TestChanges", "TestLockedDatabase",
		// views
		"TestNoPageScrollsSideways", "TestLive",
	}
}

// quick is for between two edits: no browser, no race detector, no slow test.
func (w *workshop) quick(ctx context.Context) error {
	if err := w.genCheck(ctx); err != nil {
		return err
	}
	if err := w.gofmt(ctx); err != nil {
		return err
	}
	if err := w.exec(ctx, nil, "go", "vet", "./..."); err != nil {
		return err
	}
	gone, err := unknownTests(w.root, slowTests())
	if err != nil {
		return err
	}
	if len(gone) > 0 {
		fmt.Fprintf(w.stdout, "slowTests in cmd/dev/quick.go names tests that are gone: %s\n", strings.Join(gone, ", "))
	}
	return w.exec(ctx, []string{chromiumVar + "="}, "go", "test", "-short", "-skip=^("+strings.Join(slowTests(), "|")+")$", "./...")
}

// unknownTests returns the names that no test below root has.
func unknownTests(root string, names []string) (gone []string, err error) {
	files, err := readFiles(os.DirFS(root), "_test.go")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		found := false
		for _, content := range files {
			found = found || bytes.Contains(content, []byte("\nfunc "+name+"("))
		}
		if !found {
			gone = append(gone, name)
		}
	}
	return gone, nil
}
