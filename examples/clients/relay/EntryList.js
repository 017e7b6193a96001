import { graphql } from 'relay-runtime'

// relay-compiler reads these documents and writes __generated__/. Nothing calls this function: without a build step that
// replaces the tags, read-pages.js imports what was generated.
export const documents = () => [
  graphql`
    query EntryListQuery {
      ...EntryList_query
    }
  `,
  graphql`
    fragment EntryList_query on Query
    @refetchable(queryName: "EntryListPageQuery")
    @argumentDefinitions(count: { type: "Int", defaultValue: 2 }, cursor: { type: "String" }) {
      entries(first: $count, after: $cursor) @connection(key: "EntryList_entries") {
        edges {
          node {
            id
            kind
          }
        }
      }
    }
  `,
]
