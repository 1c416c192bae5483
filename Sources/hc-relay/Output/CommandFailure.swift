import Foundation
import PostgresClient
import Relay
import SalesforceAPI

/// Why a command ends with "not done": one line that says what is wrong and what to do.
struct CommandFailure: Error, CustomStringConvertible, Equatable {
    let description: String

    init(_ description: String) { self.description = description }

    /// Whether ``line(_:)`` knows the error, so that the command line parser need not show it.
    static func isOurs(_ error: any Error) -> Bool {
        error is CommandFailure || error is RelayError || error is PostgresError || error is SalesforceError || error is CancellationError
    }

    /// The one line for any error that ends a command.
    static func line(_ error: any Error) -> String {
        let text =
            switch error {
            case let error as CommandFailure: error.description
            case let error as RelayError: error.description
            case let error as PostgresError: database(error)
            case let error as SalesforceError: salesforce(error)
            default: "\(error)"
            }
        return text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }.joined(separator: " ")
    }

    private static func database(_ error: PostgresError) -> String {
        switch error.code {
        case .badConnectionString:
            return "DATABASE_URL is malformed: give a URI such as postgresql://user@host:5432/name, or libpq keywords"
        case .couldNotConnect:
            return "cannot reach the database: \(error.serverMessage ?? "no reason given"); check DATABASE_URL, and that the server runs"
        case .connectionLost, .connectionClosed:
            return "the connection to the database was lost: try again"
        default: break
        }
        switch error.sqlState {
        case "58P01", "0A000":
            if error.serverMessage?.contains("hc_sync") ?? false {
                return "the server has no extension hc_sync: put it there with make install PG_CONFIG=... and try again"
            }
        case "42501":
            return "\(error.serverMessage ?? "no right to do that"): use a role that may, in DATABASE_URL"
        default: break
        }
        // What a person typed may be shown to them: unlike in logs, the server's words are complete here.
        return [error.serverMessage ?? error.description, error.detail, error.hint].compactMap { $0 }.joined(separator: "; ")
    }

    private static func salesforce(_ error: SalesforceError) -> String {
        let names =
            switch error.code {
            case "invalid_client": "SALESFORCE_CLIENT_SECRET"
            case "invalid_client_id": "SALESFORCE_CLIENT_ID"
            case "invalid_grant": "SALESFORCE_LOGIN_URL, SALESFORCE_USERNAME and SALESFORCE_REFRESH_TOKEN"
            case "invalid_private_key": "SALESFORCE_PRIVATE_KEY"
            case "invalid_url", "no_connection", "host_not_found", "certificate_rejected", "timed_out": "SALESFORCE_LOGIN_URL"
            default: nil as String?
            }
        guard let names, error.operation.hasPrefix("login") else { return error.description }
        return "\(error.description); see \(names)"
    }
}
