import HubCore

/// What an administrator decides about imports.
package struct BundleSettings: Hashable, Sendable {
    /// Who makes a verified import visible.
    package enum Publishing: String, Hashable, Sendable, CaseIterable {
        case automatic
        /// An administrator looks at it first and publishes or rejects it.
        case administrator
    }

    package var publishing: Publishing
    /// The visibility of repositories that an import creates.
    package var visibility: Visibility

    package init(publishing: Publishing = .automatic, visibility: Visibility = .internal) {
        self.publishing = publishing
        self.visibility = visibility
    }
}
