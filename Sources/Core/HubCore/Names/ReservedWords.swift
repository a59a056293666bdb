/// First parts of the hub's own addresses, which no account or organization may take.
///
/// `HubServerTests` compares this list with the routes. Words of later parts are here from the start, since a name once
/// given cannot be taken back.
package enum ReservedWords {
    package static let all: Set<String> = [
        "about", "access", "account", "accounts", "admin", "administrator", "anonymous", "api", "apps", "assets", "audit",
        "auth", "blog", "buckets", "bundles", "cas", "chat", "code", "codes", "collections", "connect", "csg", "csghub", "dashboard",
        "dataset", "datasets", "demo-login", "discussions", "docs", "download", "explore", "favicon.ico", "git", "healthz", "help",
        "hf", "home", "hub", "imports", "info", "inference", "jobs", "join", "learn", "legal", "lfs", "licenses", "login",
        "logout", "manifest.json", "me", "metrics", "model", "models", "ms", "new", "notifications", "oauth", "objects", "openapi",
        "openapi.json", "organization", "organizations", "orgs", "papers", "pricing", "privacy", "profile", "public", "readyz",
        "register", "resolve-cache", "root", "robots.txt", "search", "security", "settings", "setup", "sign-in", "sign-out",
        "signin", "signout", "signup", "site", "site-ca.pem", "space", "spaces", "sso", "static", "status", "support", "system", "tasks", "terms",
        "token", "tokens", "trending", "uploads", "user", "users", "v1", "v2", "webhooks", "welcome", "well-known", "xet",
    ]

    package static func contains(_ text: String) -> Bool { all.contains(text.lowercased()) }
}
