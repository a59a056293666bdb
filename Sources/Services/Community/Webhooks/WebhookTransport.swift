import HubCore

/// How webhooks reach the network. It resolves and sends; where to is decided before it is asked.
package protocol WebhookTransport: Sendable {
    /// All addresses of a host.
    func addresses(of host: String) async throws -> [IPAddress]

    /// Sends one POST to this address of the host and nowhere else, following no redirect.
    ///
    /// - Returns: the status of the answer.
    func post(_ request: WebhookRequest, to address: IPAddress) async throws -> Int
}

/// One request of a webhook.
package struct WebhookRequest: Sendable {
    package let address: WebhookAddress
    package let headers: [(name: String, value: String)]
    package let body: [UInt8]
    /// Whose certificates are good beside those that the system trusts.
    package let authorities: TrustedAuthorities

    package init(
        address: WebhookAddress, headers: [(name: String, value: String)], body: [UInt8], authorities: TrustedAuthorities = .none
    ) {
        self.address = address
        self.headers = headers
        self.body = body
        self.authorities = authorities
    }
}
