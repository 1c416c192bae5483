import Foundation
import HTTPTransport

extension SalesforceClient {
    /// The API versions of the org, ascending. Needs no session rights, but goes to the session's instance.
    public func versions() async throws(SalesforceError) -> [APIVersion] {
        struct Entry: Decodable { var version: String }
        let call = Call(operation: "list of API versions", path: "/services/data", isAuthorized: false)
        let response = try await send(call)
        return try decode([Entry].self, response, call.operation).compactMap { APIVersion($0.version) }.sorted()
    }

    /// Every object the user can see: the answer's bytes, and a light view of it.
    public func describeGlobal() async throws(SalesforceError) -> Described<[ObjectSummary]> {
        struct Answer: Decodable { var sobjects: [ObjectSummary] }
        let call = Call(operation: "list of objects", path: "\(dataPath)/sobjects")
        let response = try await send(call)
        return Described(json: response.body, view: try decode(Answer.self, response, call.operation).sobjects)
    }

    /// One object with its fields. An object that does not exist, or that the user may not see, is a
    /// ``Disposition/configuration`` error; a field the user may not see is simply absent (API reference 2.5).
    public func describe(_ object: String) async throws(SalesforceError) -> Described<ObjectDescription> {
        let operation = "description of \(object)"
        let call = Call(operation: operation, path: "\(dataPath)/sobjects/\(PercentEncoding.encode(object))/describe")
        let response: HTTPResponse
        do throws(SalesforceError) {
            response = try await send(call)
        } catch {
            // The plain answer says "the requested resource does not exist", which names nothing.
            guard error.code == "NOT_FOUND" else { throw error }
            throw SalesforceError(
                .configuration, code: "INVALID_TYPE", message: "the org has no object \(object) for this user",
                status: error.status, requestID: error.requestID, operation: operation)
        }
        return Described(json: response.body, view: try decode(ObjectDescription.self, response, operation))
    }

    /// Decodes a complete answer; one that does not have the expected shape is unreadable.
    func decode<Answer: Decodable>(
        _ type: Answer.Type, _ response: HTTPResponse, _ operation: String
    ) throws(SalesforceError) -> Answer {
        do {
            return try JSONDecoder().decode(type, from: Data(response.body))
        } catch {
            throw unreadable(operation, status: response.status, requestID: response.headers.first("X-SFDC-Request-Id"))
        }
    }
}

/// An answer kept as the bytes that came, for the database, with the part the relay itself looks at.
public struct Described<View: Sendable>: Sendable {
    public let json: [UInt8]
    public let view: View
}
