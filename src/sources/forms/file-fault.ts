/** The reason why a file is not read. The message is a predicate about the file (`is a pipe, …`) without paths outside the folder. */
export class FileFault extends Error {
  override readonly name = 'FileFault'
}
