import HTTPTypes
import HubCore
import Hummingbird
import NIOCore

/// Reads a `multipart/form-data` body part by part while it arrives. RFC 7578, RFC 2046 §5.1.
///
///     --boundary\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n<content>\r\n--boundary--
actor MultipartReader {
    struct Part: Sendable {
        let name: String
        let fileName: String?
    }

    /// Header lines of a part, and what may come before the first one.
    private static let maximumHeaderBytes = 16 << 10
    private static let maximumParts = 100

    private var source: RequestBody.AsyncIterator
    private let delimiter: [UInt8]
    /// As if the boundary at the very beginning followed a line's end too.
    private var buffer: [UInt8] = [13, 10]
    private var isInPart = false
    private var isAtEnd = false
    private var count = 0

    /// - Throws: when the request says that its body is something else.
    init(_ request: Request) throws(CSGHubError) {
        guard let type = request.headers[.contentType], type.lowercased().hasPrefix("multipart/form-data"),
            let boundary = Self.parameter("boundary", of: type), (1...70).contains(boundary.utf8.count)
        else { throw .invalid("Send the file as multipart/form-data.") }
        delimiter = Array("\r\n--\(boundary)".utf8)
        source = request.body.makeAsyncIterator()
    }

    /// The next part, after what is left of the one before; `nil` after the last.
    func nextPart() async throws -> Part? {
        while isInPart { _ = try await nextChunk() }
        guard !isAtEnd else { return nil }
        if count == 0 {
            while try await nextChunk(skipping: true) != nil {}
            if isAtEnd { return nil }
        }
        count += 1
        guard count <= Self.maximumParts else { throw CSGHubError.tooMany("parts", limit: Self.maximumParts) }
        guard let end = try await position(of: [13, 10, 13, 10], within: Self.maximumHeaderBytes) else {
            throw CSGHubError.invalid("A part of the body has no header.")
        }
        let header = String(decoding: buffer[..<end], as: UTF8.self)
        // The last line's end stays: an empty part's boundary follows it at once.
        buffer.removeFirst(end + 2)
        buffer.replaceSubrange(0..<2, with: [])
        isInPart = true
        return try Self.part(header)
    }

    /// A piece of the present part's content; `nil` at its end.
    func nextChunk() async throws -> [UInt8]? { isInPart ? try await nextChunk(skipping: false) : nil }

    /// All of the present part.
    func text(limit: Int) async throws -> String {
        var bytes: [UInt8] = []
        while let chunk = try await nextChunk() {
            bytes += chunk
            guard bytes.count <= limit else { throw CSGHubError.invalid("A field of the form is too long.") }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func nextChunk(skipping: Bool) async throws -> [UInt8]? {
        while true {
            if let start = Self.find(delimiter, in: buffer) {
                if start > 0 { return take(start) }
                try await finishBoundary()
                return nil
            }
            // What may be the beginning of a boundary waits for more.
            let sure = buffer.count - delimiter.count + 1
            if sure > 0 { return take(sure) }
            guard try await more() else { throw CSGHubError.invalid("The body ends in the middle of a part.") }
        }
    }

    /// What follows a boundary: `--` after the last part, else the line's end.
    private func finishBoundary() async throws {
        isInPart = false
        while buffer.count < delimiter.count + 2 {
            guard try await more() else { throw CSGHubError.invalid("The body ends in the middle of a part.") }
        }
        let after = buffer[delimiter.count..<delimiter.count + 2]
        if after.elementsEqual([45, 45]) { isAtEnd = true }
        buffer.removeFirst(delimiter.count + (isAtEnd ? 2 : 0))
        if isAtEnd { while try await more() { buffer = [] } }
    }

    private func take(_ count: Int) -> [UInt8] {
        let taken = Array(buffer[..<count])
        buffer.removeFirst(count)
        return taken
    }

    private func position(of wanted: [UInt8], within limit: Int) async throws -> Int? {
        while true {
            if let found = Self.find(wanted, in: buffer) { return found <= limit ? found : nil }
            guard buffer.count <= limit, try await more() else { return nil }
        }
    }

    private func more() async throws -> Bool {
        var iterator = source
        let next = try await iterator.next(isolation: self)
        source = iterator
        guard let next else { return false }
        buffer += next.readableBytesView
        return true
    }

    private static func find(_ wanted: [UInt8], in bytes: [UInt8]) -> Int? {
        guard bytes.count >= wanted.count, let first = wanted.first else { return nil }
        return bytes.withUnsafeBufferPointer { bytes in
            var start = 0
            while start + wanted.count <= bytes.count {
                guard let next = bytes[start...(bytes.count - wanted.count)].firstIndex(of: first) else { return nil }
                if bytes[next..<next + wanted.count].elementsEqual(wanted) { return next }
                start = next + 1
            }
            return nil
        }
    }

    private static func part(_ header: String) throws(CSGHubError) -> Part {
        let line = header.split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-disposition:") }
        guard let line, let name = parameter("name", of: String(line)) else {
            throw .invalid("A part of the body has no name.")
        }
        return Part(name: name, fileName: parameter("filename", of: String(line)))
    }

    /// A parameter's value, in quotes or not.
    private static func parameter(_ name: String, of text: String) -> String? {
        for piece in text.split(separator: ";").dropFirst() {
            let trimmed = piece.drop { $0 == " " }
            guard let equals = trimmed.firstIndex(of: "="), trimmed[..<equals].lowercased() == name else { continue }
            let value = trimmed[trimmed.index(after: equals)...].trimming(" \"")
            return value
        }
        return nil
    }
}

extension Substring {
    fileprivate func trimming(_ characters: String) -> String {
        var rest = self
        while let first = rest.first, characters.contains(first) { rest.removeFirst() }
        while let last = rest.last, characters.contains(last) { rest.removeLast() }
        return String(rest)
    }
}
