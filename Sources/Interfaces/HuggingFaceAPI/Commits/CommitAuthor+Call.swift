import HubCore
import Repositories
import WebCore

extension HubCall {
    /// Commits made by the Hub API bear the account's name: clients show it as the user who wrote them.
    package var author: CommitAuthor {
        guard let account = principal.account else { return CommitAuthor(principal) }
        return CommitAuthor(
            name: account.name.text, email: account.email ?? "\(account.name.text)@users.noreply.\(context.origin.host)")
    }
}
