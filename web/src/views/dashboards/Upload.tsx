/** A dashboard from a file of one's own: the button; what comes of it is `UploadDialog.tsx`. */

import { Button, FileButton } from '@mantine/core';
import { IconUpload } from '@tabler/icons-react';
import { useRef, useState } from 'react';
import { onDemand } from '../../ui/onDemand';

const UploadDialog = onDemand(() => import('./UploadDialog').then((m) => m.UploadDialog));

export function Upload() {
  const [chosen, setChosen] = useState<File | null>(null);
  // A browser says nothing when the same file is chosen twice in a row.
  const forget = useRef<() => void>(null);
  const close = () => {
    setChosen(null);
    forget.current?.();
  };
  return (
    <>
      <FileButton accept="application/json,.json" onChange={setChosen} resetRef={forget}>
        {(props) => (
          <Button {...props} size="xs" variant="default" leftSection={<IconUpload size={14} />}>
            Upload
          </Button>
        )}
      </FileButton>
      {chosen !== null && <UploadDialog from={chosen} onClose={close} />}
    </>
  );
}
