package webhooks

import (
	"wavedeck/handlers/web"
)

// Routes adds the addresses of the webhooks of saved views.
func (h *Handler) Routes(on web.Router) {
	for _, root := range []string{"", "/api"} { // the latter always answers JSON
		on.Get(root+"/views/{view}/hook", h.showHook)
		on.Post(root+"/views/{view}/hook", "set webhook", h.setHook)
		on.Post(root+"/views/{view}/hook/remove", "remove webhook", h.removeHook)
		on.Post(root+"/views/{view}/hook/test", "test webhook", h.testHook)
		on.Post(root+"/views/{view}/hook/again", "resend webhook", h.sendHookAgain)
	}
}
