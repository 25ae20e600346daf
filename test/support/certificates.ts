/** certificates: authorities of a test's own, made with openssl: what they sign, and what they revoke. */
import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from './temporary-folder.ts';

export type CertificateOptions = {
  /** Which authority signs it. @default itself */
  ca?: string;
  days?: number;
  /** Subject alternative names, as openssl writes them. */
  san?: string;
  /** Whether it may sign others. @default where it signs itself */
  maySign?: boolean;
};

export type Certificates = {
  /** Where all of them are: `NAME.pem`, and `NAME.key` beside it. */
  folder: string;
  makeCertificate(name: string, subject: string, options?: CertificateOptions): void;
  /**
   * Writes the list of what an authority has revoked.
   *
   * @param lasts of openssl, how long it is good
   */
  writeCrl(file: string, ca: string, revoked: string[], lasts?: string[]): Promise<void>;
};

export async function makeCertificates(): Promise<Certificates> {
  const folder = await temporaryFolder();
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  return {
    folder,
    makeCertificate(name, subject, { ca, days = 30, san, maySign = !ca } = {}) {
      const key = [
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-keyout',
        `${name}.key`,
      ];
      const signer = ca ? ['-CA', `${ca}.pem`, '-CAkey', `${ca}.key`] : [];
      const constraints = maySign ? [] : ['-addext', 'basicConstraints=critical,CA:FALSE'];
      const names = san ? ['-addext', `subjectAltName=${san}`] : [];
      const about = ['-days', `${days}`, '-subj', subject, ...names, ...constraints];
      openssl('req', '-x509', ...key, ...signer, ...about, '-out', `${name}.pem`);
    },
    async writeCrl(file, ca, revoked, lasts = ['-crldays', '30']) {
      await writeFile(join(folder, 'revoked.txt'), '');
      const config = '[ca]\ndefault_ca=fleet\n[fleet]\ndatabase=revoked.txt\ndefault_md=sha256\n';
      await writeFile(join(folder, 'ca.conf'), config);
      const authority = ['ca', '-config', 'ca.conf', '-cert', `${ca}.pem`, '-keyfile', `${ca}.key`];
      for (const name of revoked) openssl(...authority, '-revoke', `${name}.pem`);
      openssl(...authority, '-gencrl', ...lasts, '-out', file);
    },
  };
}
