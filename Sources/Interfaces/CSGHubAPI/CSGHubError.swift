import HubCore

/// Why a call of the CSGHub API was refused, beyond what the services say.
enum CSGHubError: Error, Equatable {
    case noSuchAddress
    case invalid(String)
    case fileNotFound(String)
    case fileTooLong(String, limit: Int64)
    case tooMany(String, limit: Int)
    case notYours
}

extension CSGHubError: Refusal {
    var problem: Problem {
        switch self {
        case .noSuchAddress:
            Problem(.missing, code: "not_found", "This hub does not have this address of the CSGHub API.")
        case .invalid(let text): Problem(.invalid, code: "invalid_request", text)
        case .fileNotFound(let path):
            Problem(.missing, code: "entry_not_found", "There is no file “\(path.shortened)” at this revision.")
        case .fileTooLong(let path, let limit):
            Problem(
                .tooLarge, code: "file_too_large",
                "“\(path.shortened)” has more than \(limit) bytes; download it by its resolve address.")
        case .tooMany(let what, let limit): Problem(.invalid, code: "too_many", "One call takes at most \(limit) \(what).")
        case .notYours: Problem(.forbidden, code: "forbidden", "Only the account itself may ask this.")
        }
    }
}
